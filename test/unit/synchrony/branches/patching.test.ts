/** Patching beside slow twins, where a moved state must move the listener, and where it must not. */
import { describe, expect, it } from 'vitest';
import { zeros } from '../../../../src/numeric/matrix.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { orderHistories, type Branches } from '../../../../src/synchrony/branches/histories.ts';
import { drawOrders } from '../../../../src/synchrony/branches/matched-test.ts';
import type { MatchedScore } from '../../../../src/synchrony/branches/matched.ts';
import type { Influence } from '../../../../src/synchrony/branches/influence.ts';
import { patching, type PatchRows } from '../../../../src/synchrony/branches/patching.ts';
import { foldsOf } from '../../../../src/synchrony/strict/blocks.ts';
import type { NoScore } from '../../../../src/synchrony/types.ts';
import { plantedPatches, type PatchWorldOptions } from '../../../fixtures/planted/planted-patches.ts';
import { evidenceTwin, influenceTwin, matchedTwin, movedTwin } from './slow-twin.ts';
import { twinRows } from './twin-rows.ts';

const algebra = createPlainAlgebra();
const SMALL: PatchWorldOptions = {
  kind: 'moved',
  seed: 4,
  scenarios: 6,
  episodes: 2,
  turns: 2,
  versions: 4,
  dims: 3,
  components: 3,
};
const PENALTIES = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
const options = { seed: 1, algebra, permutations: 39 };

const found = <T extends Influence | MatchedScore>(figure: T | NoScore): T => {
  if ('reason' in figure) throw new Error(figure.reason);
  return figure;
};

/** As other rows of branches are: what the twins read. */
const asBranches = ({ coefficients, ...rows }: PatchRows): Branches => ({
  ...rows,
  source: [coefficients],
  words: zeros(rows.n, 0),
  bystander: [],
});

describe('patching', () => {
  it('is what slow twins find: the share within histories, and what explicit ridge fits on the coefficients explain', async () => {
    const { rows } = plantedPatches(SMALL);
    const { acts, follows } = await patching(rows, options);
    const twins = twinRows(asBranches(rows));
    expect(found(acts).value).toBeCloseTo(influenceTwin(twins, 0), 9);
    const { blocks, rows: order, count } = orderHistories(asBranches(rows));
    const whole = blocks.map(({ scenario, start, rows: episodes }) => ({
      scenario,
      start,
      episodes,
      turns: 1,
    }));
    const folds = foldsOf({ rows: order, blocks: whole, episodes: count }, options.seed).map((fold) =>
      fold.map((block) => whole[block]?.scenario as number),
    );
    const [twin] = matchedTwin({ rows: twins, folds, penalties: PENALTIES, penaltyForLayers: 3 });
    expect(found(follows).score).toBeCloseTo(twin as number, 8);
  });

  it('has the p-value of the evidence over all orders drawn, each permuting the coefficients within histories', async () => {
    const pValues: number[] = [];
    for (const seed of [1, 2, 3]) {
      const { rows } = plantedPatches({ ...SMALL, kind: 'own', seed });
      const branches = asBranches(rows);
      const twins = twinRows(branches);
      const moved = (side: 'a' | 'b'): number[][] =>
        movedTwin(
          twins,
          twins.map((row) => row[side][0] as number[]),
        );
      const evidence = drawOrders(orderHistories(branches), 39, options.seed).map((order) =>
        evidenceTwin(twins, { a: moved('a'), b: moved('b'), order: [...order] }),
      );
      const [own = 0] = evidence;
      const p = evidence.filter((value) => value >= own).length / evidence.length;
      expect(found((await patching(rows, options)).follows).pValue).toBeCloseTo(p, 12);
      pValues.push(p);
    }
    expect(Math.max(...pValues)).toBeGreaterThan(0.1);
  });

  it('finds what a moved state does, more of it the larger the size', async () => {
    const shares: number[] = [];
    for (const size of [0.5, 1, 2]) {
      const { rows, influence } = plantedPatches({
        ...SMALL,
        size,
        scenarios: 12,
        episodes: 4,
        dims: 12,
        components: 8,
      });
      const { acts, follows } = await patching(rows, { ...options, permutations: 199 });
      expect(Math.abs(found(acts).value - influence)).toBeLessThan(0.1 * influence);
      expect(found(acts).ci.low).toBeGreaterThan(0);
      expect(found(follows).score).toBeGreaterThan(0.3);
      expect(found(follows).pValue).toBe(0.005);
      shares.push(found(acts).value);
    }
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  });

  it('finds nothing that follows where the listener is moved by something else', async () => {
    const pValues: number[] = [];
    for (let seed = 0; seed < 60; seed++) {
      const { rows } = plantedPatches({ ...SMALL, kind: 'own', seed, uneven: true });
      const { acts, follows } = await patching(rows, options);
      expect(found(acts).value).toBeGreaterThan(0.2);
      pValues.push(found(follows).pValue);
    }
    // With a rate of 0.05 there are 7 or more of 60 in 3 of 100 cases.
    expect(pValues.filter((p) => p <= 0.05).length).toBeLessThan(7);
    expect(pValues.filter((p) => p > 0.5).length).toBeGreaterThan(18);
  });

  it('is exactly 0, and nothing follows, where the listener does not hear or no word has changed', async () => {
    const { rows } = plantedPatches({ ...SMALL, kind: 'unheard' });
    expect(await patching(rows, options)).toMatchObject({
      acts: { value: 0, ci: { low: 0, high: 0 } },
      follows: { reason: 'the states of the listener do not move with the alternatives' },
    });
  });

  it.each([
    { scenarios: 5, episodes: 3 },
    { scenarios: 6, episodes: 1 },
  ])('has no figure of too few turns: %o', async (size) => {
    const { rows } = plantedPatches({ ...SMALL, ...size });
    const { acts, follows } = await patching(rows, options);
    for (const figure of [acts, follows])
      expect(figure).toHaveProperty('reason', expect.stringContaining('too few'));
  });
});
