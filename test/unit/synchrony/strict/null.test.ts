/** The null's mean holds nothing of the coupling, however many episodes a scenario has. */
import { describe, expect, it } from 'vitest';
import { zeros } from '../../../../src/numeric/matrix.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { seededRandom } from '../../../../src/numeric/random.ts';
import { chooseRows } from '../../../../src/synchrony/strict/rows.ts';
import { strictScore } from '../../../../src/synchrony/strict/strict-score.ts';
import type { StrictScore, TurnPairs } from '../../../../src/synchrony/types.ts';

const algebra = createPlainAlgebra();
const DIMS = 8;
const TURNS = 5;
const RHO = 0.7;

/** B follows A at RHO in every dim; nothing else is there. `sizes` are the episodes of each scenario. */
function coupled(sizes: number[], seed: number): TurnPairs {
  const random = seededRandom(seed, 31);
  const rows = sizes.flatMap((episodes, scenario) =>
    Array.from({ length: episodes * TURNS }, (_, at) => ({
      scenario,
      episode: 100 * scenario + Math.floor(at / TURNS),
      turn: 2 * (at % TURNS),
    })),
  );
  const source = zeros(rows.length, DIMS);
  const target = zeros(rows.length, DIMS);
  for (let at = 0; at < source.data.length; at++) {
    const drive = random.normal();
    source.data[at] = drive;
    target.data[at] = RHO * drive + Math.sqrt(1 - RHO * RHO) * random.normal();
  }
  const label = (of: (row: (typeof rows)[0]) => number): Int32Array => Int32Array.from(rows, of);
  const none = zeros(rows.length, 0);
  return {
    n: rows.length,
    source: [source],
    target: [target],
    history: none,
    reply: none,
    episode: label((row) => row.episode),
    scenario: label((row) => row.scenario),
    pair: label(() => 0),
    turn: label((row) => row.turn),
  };
}

async function scored(sizes: number[], seed: number): Promise<StrictScore> {
  const minimums = { samples: 10, episodes: 4, scenarios: 2 };
  const options = { algebra, seed, minimums, permutations: 60, bootstraps: 50 };
  const answer = await strictScore(coupled(sizes, seed), options);
  if ('reason' in answer) throw new Error(answer.reason);
  return answer;
}

async function meanOver(sizes: number[], of: (score: StrictScore) => number): Promise<number> {
  const values = [];
  for (const seed of [1, 2, 3]) values.push(of(await scored(sizes, seed)));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const times = (count: number, episodes: number): number[] => Array.from({ length: count }, () => episodes);

describe('equal coupling, 240 rows', () => {
  it.each([
    ['12 scenarios of 4', times(12, 4)],
    ['16 scenarios of 3', times(16, 3)],
    ['24 scenarios of 2', times(24, 2)],
  ])('%s have the excess of 8 scenarios of 6', async (_, sizes) => {
    const wanted = await meanOver(times(8, 6), ({ excess }) => excess);
    expect(wanted).toBeGreaterThan(0.4);
    expect(Math.abs((await meanOver(sizes, ({ excess }) => excess)) - wanted)).toBeLessThan(0.05);
    expect(await meanOver(sizes, ({ nullMean }) => nullMean)).toBeLessThan(0);
  });

  it('gives the null the same spread with two episodes per scenario as with six', async () => {
    const spread = ({ nullScores, nullMean }: StrictScore): number =>
      Math.sqrt(nullScores.reduce((sum, value) => sum + (value - nullMean) ** 2, 0) / nullScores.length);
    const [two, six] = [await meanOver(times(24, 2), spread), await meanOver(times(8, 6), spread)];
    expect(two / six).toBeGreaterThan(0.7);
    expect(two / six).toBeLessThan(1.4);
  });
});

describe('scenarios with a single episode', () => {
  it('are left out: they have no null', async () => {
    const sizes = [...times(8, 6), ...times(20, 1)];
    const rows = chooseRows(coupled(sizes, 1), 1);
    expect(rows.scenarios).toBe(8);
    expect(rows.episodes).toBe(48);
    const score = await scored(sizes, 1);
    expect(score.droppedRows).toBe(20 * TURNS);
    expect(score.shares).toHaveLength(8);
  });

  it('do not count towards the minimum of scenarios', async () => {
    const sizes = [...times(5, 6), ...times(20, 1)];
    const answer = await strictScore(coupled(sizes, 1), { algebra, seed: 1 });
    expect(answer).toEqual({
      reason: 'too few scenarios with at least two episodes: 5 can be used, 6 are needed',
    });
  });
});
