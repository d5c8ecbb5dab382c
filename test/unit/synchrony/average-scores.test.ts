/** The mean of several scores and its interval, held against a bootstrap written another way from the same draws. */
import { describe, expect, it } from 'vitest';
import { averageScores, type Drawable } from '../../../src/synchrony/stats/bootstrap.ts';
import { seededRandom } from '../../../src/numeric/random.ts';
import type { Interval } from '../../../src/synchrony/types.ts';

const OPTIONS = { bootstraps: 800, seed: 11 };
/** 97.5 % quantiles of Student's t, from tables, by degrees of freedom; that of the normal is 1.959964. */
const STUDENT: Record<number, number> = { 5: 2.570582, 7: 2.364624 };

/** Shares of the scenarios named, with a null of `nulls` scores. */
function drawable(names: number[], { seed, nulls = 40 }: { seed: number; nulls?: number }): Drawable {
  const random = seededRandom(seed);
  const shares = names.map((scenario) => ({
    scenario,
    excess: 0.02 + 0.03 * random.normal(),
    total: 0.1 + 0.05 * random.uniform(),
  }));
  return { shares, nullScores: Array.from({ length: nulls }, () => 0.01 + 0.04 * random.normal()) };
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const excessOf = ({ shares }: Drawable): number =>
  sum(shares.map(({ excess }) => excess)) / sum(shares.map(({ total }) => total));

/** Percentiles of the mean: each draw is how often each scenario counts, and one rank among the nulls of all. */
function plainPercentiles(scores: Drawable[]): Interval {
  const random = seededRandom(OPTIONS.seed, 6);
  const names = [...new Set(scores.flatMap(({ shares }) => shares.map(({ scenario }) => scenario)))];
  const draws: number[] = [];
  while (draws.length < OPTIONS.bootstraps) {
    const times = new Map<number, number>();
    for (const _ of names) {
      const name = names[random.below(names.length)] as number;
      times.set(name, (times.get(name) ?? 0) + 1);
    }
    const rank = random.uniform();
    let total = 0;
    for (const { shares, nullScores } of scores) {
      let [above, below] = [0, 0];
      for (const share of shares) {
        above += (times.get(share.scenario) ?? 0) * share.excess;
        below += (times.get(share.scenario) ?? 0) * share.total;
      }
      const ranked = [...nullScores].sort((a, b) => a - b);
      const noise = ranked.length === 0 ? 0 : (ranked[Math.floor(rank * ranked.length)] as number);
      total += above / below + noise - (ranked.length === 0 ? 0 : sum(ranked) / ranked.length);
    }
    draws.push(total / scores.length);
  }
  draws.sort((a, b) => a - b);
  const at = (share: number): number => {
    const place = share * (draws.length - 1);
    const [low, high] = [draws[Math.floor(place)], draws[Math.ceil(place)]] as [number, number];
    return low * (1 - (place % 1)) + high * (place % 1);
  };
  return { low: at(0.025), high: at(0.975) };
}

function found(scores: Drawable[]) {
  const answer = averageScores(scores, OPTIONS);
  if ('reason' in answer) throw new Error(answer.reason);
  return answer;
}

describe('the mean of several scores', () => {
  const six = [0, 1, 2, 3, 4, 5];
  it.each([
    ['two directions', [drawable(six, { seed: 1 }), drawable(six, { seed: 2 })], 5],
    ['two directions, two orders', [1, 2, 3, 4].map((seed) => drawable([...six, 6, 7], { seed })), 7],
    [
      'scenarios that one lacks',
      [drawable([...six, 6, 7], { seed: 5 }), drawable([6, 1, 4, 7, 0, 3, 2, 5], { seed: 6 })],
      7,
    ],
    [
      'nulls of other lengths, or none',
      [drawable(six, { seed: 7, nulls: 7 }), drawable(six, { seed: 8, nulls: 0 })],
      5,
    ],
  ])('draws what they share together: %s', (_, scores, freedom) => {
    const { excess, low, high } = found(scores);
    expect(excess).toBeCloseTo(sum(scores.map(excessOf)) / scores.length, 12);
    const plain = plainPercentiles(scores);
    const factors = [(low - excess) / (plain.low - excess), (high - excess) / (plain.high - excess)];
    // One factor to both sides: few scenarios widen the interval around the mean.
    expect(factors[0]).toBeCloseTo(factors[1] as number, 9);
    const student = Math.sqrt((freedom + 1) / freedom) * ((STUDENT[freedom] as number) / 1.959964);
    expect(Math.abs((factors[0] as number) / student - 1)).toBeLessThan(0.01);
  });

  it('is no narrower than either where both directions are the same figure', () => {
    const one = drawable(six, { seed: 9 });
    const { low, high } = found([one]);
    const twice = found([one, one]);
    expect([twice.low, twice.high]).toEqual([expect.closeTo(low, 12), expect.closeTo(high, 12)]);
  });

  it('is narrower where scenarios that are high in one are low in the other', () => {
    const one = drawable(six, { seed: 10, nulls: 0 });
    const mean = excessOf(one);
    const mirrored = one.shares.map((share) => ({ ...share, excess: 2 * mean * share.total - share.excess }));
    const { low, high } = found([one, { shares: mirrored, nullScores: [] }]);
    expect(high - low).toBeCloseTo(0, 12);
  });

  it('is no number without scores, or where one has no scenario', () => {
    expect(averageScores([], OPTIONS)).toEqual({ reason: 'there is no score' });
    expect(averageScores([drawable([], { seed: 1 })], OPTIONS)).toEqual({
      reason: 'a score has no scenario',
    });
  });
});
