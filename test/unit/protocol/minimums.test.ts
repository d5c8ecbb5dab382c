import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { hopelessStudy } from '../../../src/protocol/minimums.ts';
import { studySchema } from '../../../src/protocol/study.ts';

const demo = studySchema.parse(JSON.parse(await readFile('studies/demo.json', 'utf8')));
const scenarios = demo.scenarios.slice(0, 1);

it('finds nothing wanting in the demo', () => {
  expect(hopelessStudy(demo)).toBeUndefined();
});

it('says which figures a study can never reach', () => {
  expect(hopelessStudy({ ...demo, scenarios, pairs: [['ada', 'ben']], episodes: 30 })).toBe(
    'this study can give at most 1 of 6 scenarios a group: no score will appear',
  );
  expect(
    hopelessStudy({ ...demo, scenarios, pairs: [['ada', 'ben']], episodes: 1, maxTurns: 5, minTurns: 0 }),
  ).toBe(
    'this study can give at most 1 of 6 scenarios, 1 of 18 episodes, 2 of 120 turn pairs a group: no score will appear',
  );
});
