import { describe, expect, it } from 'vitest';
import { cohensF2 } from '../../../../src/synchrony/stats/effect-size.ts';
import { qValues } from '../../../../src/synchrony/stats/false-discovery.ts';
import { seededRandom } from '../../../../src/numeric/random.ts';

/**
 * The definition without a clever order: among all thresholds that accept a group, the smallest estimated share
 * of false ones.
 */
function slowQValue(p: number, all: number[]): number {
  const thresholds = all.filter((threshold) => threshold >= p);
  return Math.min(
    1,
    ...thresholds.map((at) => (at * all.length) / all.filter((other) => other <= at).length),
  );
}

describe('qValues', () => {
  // scipy.stats.false_discovery_control([0.01, 0.04, 0.03, 0.005, 0.7])
  it('agrees with SciPy', () => {
    const found = qValues([0.01, 0.04, 0.03, 0.005, 0.7]);
    for (const [at, q] of [0.025, 0.05, 0.05, 0.025, 0.7].entries()) expect(found[at]).toBeCloseTo(q, 12);
  });

  it('agrees with its reference implementation, also with ties', () => {
    const random = seededRandom(5);
    for (let size = 1; size < 30; size++) {
      const p = Array.from({ length: size }, () => (1 + random.below(20)) / 20);
      const found = qValues(p);
      for (const [at, value] of p.entries()) expect(found[at]).toBeCloseTo(slowQValue(value, p), 12);
    }
  });

  it('calls no more than the allowed share of null groups coupled, where bare p-values call many', () => {
    const random = seededRandom(6);
    let some = 0;
    let bare = 0;
    for (let study = 0; study < 400; study++) {
      const p = Array.from({ length: 20 }, () => random.uniform());
      some += Number(qValues(p).some((q) => q <= 0.05));
      bare += Number(p.some((value) => value <= 0.05));
    }
    expect(some / 400).toBeLessThan(0.08);
    expect(bare / 400).toBeGreaterThan(0.5);
  });

  it('gives no q-values for no p-values', () => expect(qValues([])).toEqual([]));
});

describe('cohensF2', () => {
  it('is the explained part divided by the unexplained part', () => {
    expect(cohensF2(0.3, 0.1)).toBeCloseTo(0.2 / 0.7, 12);
    expect(cohensF2(-0.1, 0)).toBeCloseTo(-0.1 / 1.1, 12);
    expect(cohensF2(1, 0)).toBeUndefined();
  });
});
