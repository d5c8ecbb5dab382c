import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { hopelessStudy } from '../../../src/protocol/minimums.ts';
import { studySchema } from '../../../src/protocol/study.ts';

const demo = studySchema.parse(JSON.parse(await readFile('studies/demo.json', 'utf8')));
const scenarios = demo.scenarios.slice(0, 1);

it('hopelessStudy finds nothing missing in the demo', () => {
  expect(hopelessStudy(demo)).toBeUndefined();
});

it('hopelessStudy says which figures a study can never reach', () => {
  expect(hopelessStudy({ ...demo, scenarios, pairs: [['ada', 'ben']], episodes: 30 })).toBe(
    'this study can give at most 1 of 6 scenarios a group: no score will appear',
  );
  const pairs = [['ada', 'ben']];
  expect(hopelessStudy({ ...demo, scenarios, pairs, episodes: 3, maxTurns: 5, minTurns: 0 })).toBe(
    'this study can give at most 1 of 6 scenarios, 3 of 18 episodes, 6 of 120 turn pairs a group: no score will appear',
  );
});

const twenty = Array.from({ length: 20 }, (_, k) => ({ ...demo.scenarios[0]!, id: `s${k}` }));
const large = { ...demo, scenarios: twenty, pairs: [['ada', 'ben']], episodes: 3, maxTurns: 12, minTurns: 0 };

it('hopelessStudy knows that a scenario needs three episodes of a group to count', () => {
  expect(hopelessStudy(large)).toBeUndefined();
  expect(hopelessStudy({ ...large, episodes: 1 })).toBe(
    'this study can give at most 1 of 3 episodes of a scenario a group: no score will appear',
  );
  // Both speaking orders of one model are one group.
  const orders = [
    ['ada', 'ben'],
    ['ben', 'ada'],
  ];
  expect(hopelessStudy({ ...large, episodes: 2, pairs: orders })).toBeUndefined();
});

it('hopelessStudy knows which agents have the same model', () => {
  const orders = [
    ['ada', 'ben'],
    ['ben', 'ada'],
  ];
  const study = { ...large, episodes: 2, pairs: orders };
  expect(hopelessStudy(study, () => 'one')).toBeUndefined();
  expect(hopelessStudy(study, (agent) => agent)).toContain('2 of 3 episodes of a scenario a group: no score');
});

it('hopelessStudy counts the turn pairs of every two places of many agents', () => {
  const eight = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  // Of 16 turns each agent speaks two: two turn pairs from the 1st place to the 2nd, one from the last place to
  // the first.
  const study = { ...large, pairs: [eight], maxTurns: 16 };
  expect(hopelessStudy(study)).toBe(
    '28 of the 56 groups of each condition can give at most 60 of 120 turn pairs: no score of theirs will appear',
  );
  expect(hopelessStudy({ ...study, episodes: 6 })).toBeUndefined();
  expect(hopelessStudy({ ...study, maxTurns: 8 })).toMatch(
    /^this study can give at most 60 of 120 .* no score/,
  );
});

it('hopelessStudy says that at temperature 0 all episodes of a scenario are the same', () => {
  const study = { ...demo, sampling: { ...demo.sampling, temperature: 0 } };
  expect(hopelessStudy(study)).toContain('at temperature 0 the episodes of a scenario are the same');
});

describe('a study that always takes the likeliest token', () => {
  const noteOf = (sampling: Partial<typeof demo.sampling>, change: Partial<typeof demo> = {}) =>
    hopelessStudy({ ...demo, ...change, sampling: { ...demo.sampling, ...sampling } });

  it('is noticed also where topK or minP leave no other', () => {
    expect(noteOf({ topK: 1 })).toContain('with topK 1 the episodes of a scenario are the same: no strict');
    expect(noteOf({ minP: 1 })).toContain('with minP 1 the episodes of a scenario are the same: no strict');
    expect(noteOf({ topK: 2, minP: 0.9 })).toBeUndefined();
  });

  it('has other episodes where what is heard or read is drawn anew', () => {
    const conditions = ['live', 'random', 'dose:0.5', 'monologue'] as const;
    expect(noteOf({ temperature: 0 }, { conditions: [...conditions] })).toBe(
      'at temperature 0 the episodes of a scenario are the same in live, monologue: no strict score of theirs will appear, and paper mode measures copies',
    );
    expect(noteOf({ temperature: 0 }, { conditions: ['dose:0.25'] })).toBeUndefined();
    expect(noteOf({ temperature: 0 }, { conditions: ['dose:0'] })).toContain('are the same: no strict');
  });

  it('has other episodes where every episode reads another script', () => {
    const reading = (scripts: string[][]) => ({
      conditions: ['shared-input' as const],
      scenarios: demo.scenarios.map((scenario) => ({ ...scenario, scripts })),
    });
    expect(noteOf({ temperature: 0 }, reading([['a'], ['b']]))).toBeUndefined();
    expect(noteOf({ temperature: 0 }, reading([['a'], ['a']]))).toContain('are the same');
    expect(noteOf({ temperature: 0 }, reading([]))).toContain('are the same');
  });
});
