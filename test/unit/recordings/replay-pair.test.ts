import { expect, it } from 'vitest';
import { groupOf } from '../../../src/analyzer/ingest/episode-index.ts';
import { replayDifference, replayPair } from '../../../src/recordings/replay-pair.ts';
import { STRICT_METHOD } from '../../../src/synchrony/strict/strict-score.ts';
import { differenceScores, pairScores } from '../../../src/analyzer/state/run-pairs.ts';
import type { GroupScore, PairScore } from '../../../src/analyzer/scoring/messages.ts';

const model = { name: 'm', sha256: 'ab', layers: 1, dims: 1 };
const about = { scenario: 's', pair: 'p', condition: 'live', order: ['a', 'b'], models: [model, model] };
const replicates = [0, 1, 2, 3, 4, 5].map((scenario) => ({ scenario, excess: 0.1 + scenario / 100 }));
const numbers = { excess: 0.1, ciLow: 0, ciHigh: 0.2, nullMean: 0, samples: 120 };
const strict = { ...numbers, pValue: 0.01, z: 4, permutations: 199 };

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
  method: STRICT_METHOD,
  replicates,
  rows: {},
  computedMs: 1,
});

const scores = [scoreOf(0, 0.2), scoreOf(1, 0.4)];
const replayed = new Map(scores.map((score) => [score.group.key, score]));
const groups = new Map(scores.map((score) => [score.group.key, { group: score.group, score }]));
const [published] = pairScores({ run: 'r1', groups, pairs: new Map() });

it('a pair line is recomputed as published from the scores it names', () => {
  expect(published?.paper?.score).toBeCloseTo(0.3, 12);
  expect(replayPair(published!, replayed, true)).toBeUndefined();
});

it('a replay of a pair names the field that comes out different', () => {
  const other = { ...published!, strict: { ...published!.strict!, ciLow: 0.5 } };
  expect(replayPair(other, replayed, true)).toMatch(
    /^pair live\|2\|1\|2\|m ab\|m ab, 240 samples: strict was published/,
  );
});

it('a replay accepts a line of an earlier version that lacks newer fields', () => {
  const { unclipped, ...paper } = published!.paper!;
  expect(unclipped).toBeCloseTo(-0.7, 12);
  const older = { ...published, paper } as PairScore;
  expect(replayPair(older, replayed, true)).toBeUndefined();
  const other = { ...older, paper: { ...published!.paper!, unclipped: 0 } };
  expect(replayPair(other, replayed, true)).toContain('paper was published');
});

it('a replay does not accept another score in place of the one that was used', () => {
  const newer = scores.map((score): [string, GroupScore] => [score.group.key, { ...score, version: 500 }]);
  for (const known of [new Map(newer), new Map([...replayed].slice(1))])
    expect(replayPair(published!, known, true)).toContain('are not there');
});

it('a replay compares only the paper figures of a line by another strict method', () => {
  const other = { ...published!, strict: { ...published!.strict!, ciLow: 0.5 } };
  expect(replayPair(other, replayed, false)).toBeUndefined();
});

it('a replay recomputes differences between conditions, of directions and of pairs', () => {
  const control = scores.map((score): GroupScore => {
    const group = { ...score.group, condition: 'monologue', key: `${score.group.key}, alone` };
    return {
      ...score,
      group,
      strict: { ...score.strict!, excess: 0.02 },
      replicates: replicates.map((one) => ({ ...one, excess: 0.02 })),
    };
  });
  const all = [...scores, ...control];
  const known = new Map(all.map((score) => [score.group.key, score]));
  const lines = differenceScores({
    run: 'r1',
    groups: new Map(all.map((score) => [score.group.key, { group: score.group, score }])),
    pairs: new Map(),
  });
  expect(lines.map(({ between, difference }) => [between, difference.toFixed(3)])).toEqual([
    ['dyads', '0.080'],
    ['dyads', '0.080'],
    ['pairs', '0.080'],
  ]);
  for (const line of lines) {
    expect(replayDifference(line, known)).toBeUndefined();
    expect(replayDifference({ ...line, pValue: 0.9 }, known)).toContain('pValue was published');
    expect(replayDifference(line, new Map())).toContain('are not there');
  }
});
