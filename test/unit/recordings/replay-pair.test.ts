import { expect, it } from 'vitest';
import { groupOf } from '../../../src/analyzer/ingest/episode-index.ts';
import { replayPair } from '../../../src/recordings/replay-pair.ts';
import { pairScores } from '../../../src/analyzer/state/run-pairs.ts';
import type { GroupScore, PairScore } from '../../../src/analyzer/scoring/messages.ts';

const model = { name: 'm', sha256: 'ab', layers: 1, dims: 1 };
const about = { scenario: 's', pair: 'p', condition: 'live', order: ['a', 'b'], models: [model, model] };
const shares = [0, 1, 2, 3, 4, 5].map((scenario) => ({ scenario, excess: scenario / 100, total: 0.2 }));
const strict = { excess: 0.1, ciLow: 0, ciHigh: 0.2, pValue: 0.01, nullMean: 0, nullQ95: 0.1, samples: 120 };

const scoreOf = (from: number, score: number): GroupScore => ({
  type: 'score',
  run: 'r1',
  group: groupOf(about, from, 1 - from)!,
  version: 120 + from,
  seed: from,
  samples: 120,
  leftOut: 0,
  paper: { score, unclipped: score - 1, nullMean: 0.1, pseudoMean: null, samples: 120 },
  strict: { ...strict, score },
  drawable: { shares, nullScores: [0.01, -0.01] },
  rows: {},
  computedMs: 1,
});

const scores = [scoreOf(0, 0.2), scoreOf(1, 0.4)];
const replayed = new Map(scores.map((score) => [score.group.key, score]));
const groups = new Map(scores.map((score) => [score.group.key, { group: score.group, score }]));
const [published] = pairScores({ run: 'r1', groups, pairs: new Map() });

it('comes out as it was published, from the scores it names', () => {
  expect(published?.paper?.score).toBeCloseTo(0.3, 12);
  expect(replayPair(published!, replayed)).toBeUndefined();
});

it('says what comes out otherwise', () => {
  const other = { ...published!, strict: { ...published!.strict!, ciLow: 0.5 } };
  expect(replayPair(other, replayed)).toMatch(
    /^pair live\|2\|1\|2\|m ab\|m ab, 240 samples: strict was published/,
  );
});

it('does not miss what a line of an earlier entrain did not say yet', () => {
  const { unclipped, ...paper } = published!.paper!;
  expect(unclipped).toBeCloseTo(-0.7, 12);
  const older = { ...published, paper } as PairScore;
  expect(replayPair(older, replayed)).toBeUndefined();
  const other = { ...older, paper: { ...published!.paper!, unclipped: 0 } };
  expect(replayPair(other, replayed)).toContain('paper was published');
});

it('does not take another score for the one that went in', () => {
  const newer = scores.map((score): [string, GroupScore] => [score.group.key, { ...score, version: 500 }]);
  for (const known of [new Map(newer), new Map([...replayed].slice(1))])
    expect(replayPair(published!, known)).toContain('are not there');
});
