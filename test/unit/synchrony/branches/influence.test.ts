/** Influence beside a twin by traces of projections, beside NumPy, and what holds of it whatever the states are. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { influence, type Influence } from '../../../../src/synchrony/branches/influence.ts';
import type { Branches } from '../../../../src/synchrony/branches/histories.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import { plantedBranches, type BranchWorldOptions } from '../../../fixtures/planted/planted-branches.ts';
import { influenceTwin } from './slow-twin.ts';
import { pick, twinRows } from './twin-rows.ts';

const SMALL: BranchWorldOptions = {
  kind: 'moved',
  seed: 3,
  scenarios: 6,
  episodes: 2,
  turns: 2,
  alternatives: 4,
  unequal: true,
  dims: 3,
  layers: 2,
};

function found(branches: Branches, seed = 1): Influence {
  const value = influence(branches, { seed, draws: 200, minimums: { scenarios: 2, histories: 2 } });
  if ('reason' in value) throw new Error(value.reason);
  return value;
}

const changed = (m: Matrix, by: (value: number, row: number, col: number) => number): Matrix => ({
  ...m,
  data: m.data.map((value, at) => by(value, Math.floor(at / m.cols), at % m.cols)),
});

describe('influence', () => {
  it('is the ratio of variance components that traces of projections give, with unequal numbers at every level', () => {
    const { branches } = plantedBranches({ ...SMALL, same: 0.3 });
    const kept = [...Array(branches.n).keys()].filter((row) => row % 7 !== 3);
    const rows = twinRows(branches).filter((_, row) => kept.includes(row));
    const { perLayer } = found(pick(branches, kept));
    const counted = rows.filter(
      (row) => rows.filter((other) => other.episode === row.episode && other.turn === row.turn).length > 1,
    );
    for (const { layer, value } of perLayer) expect(value).toBeCloseTo(influenceTwin(counted, layer), 9);
  });

  it('gives the figures that NumPy gives from the definition', () => {
    const { branches } = plantedBranches(SMALL);
    const { value, perLayer } = found(branches);
    expect(perLayer.map((layer) => layer.value)).toEqual(
      NUMPY.map((figure) => expect.closeTo(figure, 9) as number),
    );
    expect(value).toBeCloseTo((NUMPY[0] + NUMPY[1]) / 2, 9);
  });

  it('is exactly 0 where the listener does not hear, and so is its interval', () => {
    const { branches } = plantedBranches({ ...SMALL, kind: 'unheard' });
    expect(found(branches)).toMatchObject({ value: 0, ci: { low: 0, high: 0 } });
  });

  it('is exactly 0 for any states of the listener that are equal behind all alternatives', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 24, maxLength: 24 }),
        (values) => {
          const { branches } = plantedBranches({ ...SMALL, dims: 1, layers: 1 });
          const target = [
            changed(
              branches.target[0] as Matrix,
              (_, row) => values[Math.floor(historyOf(branches, row))] as number,
            ),
          ];
          const result = influence({ ...branches, target }, { seed: 1, draws: 20 });
          if (!('reason' in result)) expect(result.value).toBe(0);
        },
      ),
    );
  });

  it('counts histories that nobody hears as 0, so that with half of the episodes heard it falls', () => {
    const heard = plantedBranches({ ...SMALL, scenarios: 40 });
    const half = plantedBranches({ ...SMALL, scenarios: 40, unheard: 0.5 });
    expect(found(half.branches).value).toBeLessThan(0.85 * found(heard.branches).value);
    expect(found(half.branches).histories).toBe(found(heard.branches).histories);
  });

  it('changes with no scale and offset of a dim, and with no order of the rows', () => {
    const { branches } = plantedBranches(SMALL);
    const before = found(branches);
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.double({ min: -50, max: 50, noNaN: true }),
        (by, plus) => {
          const target = branches.target.map((m) =>
            changed(m, (value, _, col) => (col === 1 ? value * by + plus : value)),
          );
          const after = found({ ...branches, target });
          expect(after.value).toBeCloseTo(before.value, 9);
          expect(after.ci.low).toBeCloseTo(before.ci.low, 9);
        },
      ),
      { numRuns: 20 },
    );
    const backwards = [...Array(branches.n).keys()].reverse();
    expect(found(pick(branches, backwards))).toEqual(before);
  });

  it('has no value where every alternative of a history is the same, and says that temperature 0 does that', () => {
    const { branches } = plantedBranches({ ...SMALL, same: 1 });
    expect(influence(branches, { seed: 1 })).toEqual({
      reason: expect.stringContaining('temperature 0') as string,
    });
  });

  it.each([
    [{ scenarios: 5, episodes: 3 }, 'too few scenarios with at least two distinct alternatives: 5 of 6'],
    [{ scenarios: 6, episodes: 1 }, 'too few histories with at least two distinct alternatives: 12 of 20'],
  ])('has no value below the minimums: %o', (size, reason) => {
    const { branches } = plantedBranches({ ...SMALL, ...size });
    expect(influence(branches, { seed: 1 })).toEqual({ reason });
  });

  it('has no value for NaN and for states of the listener that never vary', () => {
    const { branches } = plantedBranches(SMALL);
    const target = (value: number): Matrix[] => branches.target.map((m) => changed(m, () => value));
    expect(influence({ ...branches, target: target(Number.NaN) }, { seed: 1 })).toHaveProperty('reason');
    expect(influence({ ...branches, target: target(4) }, { seed: 1 })).toEqual({
      reason: 'the states of the listener do not vary',
    });
  });
});

/** Number of the row's history. */
function historyOf({ episode, turn }: Branches, row: number): number {
  return (episode[row] as number) * 2 + (turn[row] as number) / 2;
}

/** By numpy 2 from the same world: influence of both layers. */
const NUMPY = [0.5400221300299289, 0.2535037160413928] as const;
