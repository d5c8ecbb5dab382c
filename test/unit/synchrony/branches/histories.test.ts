/** Contrasts of the alternatives of a history beside the centred rows that they stand for. */
import { describe, expect, it } from 'vitest';
import { crossProduct, zeros } from '../../../../src/numeric/matrix.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import {
  centreWithin,
  contrastsWithin,
  orderHistories,
  rowsOfContrasts,
} from '../../../../src/synchrony/branches/histories.ts';
import { plantedBranches } from '../../../fixtures/planted/planted-branches.ts';

const { branches } = plantedBranches({
  kind: 'moved',
  seed: 3,
  scenarios: 6,
  episodes: 2,
  turns: 2,
  alternatives: 5,
  unequal: true,
  dims: 3,
  layers: 1,
});
const used = orderHistories(branches);

const expectEqual = (found: Matrix, wanted: Matrix): void => {
  expect([found.rows, found.cols]).toEqual([wanted.rows, wanted.cols]);
  for (const [at, value] of found.data.entries()) expect(value).toBeCloseTo(wanted.data[at] as number, 12);
};

describe('contrasts within histories', () => {
  const state = branches.target[0] as Matrix;

  it('hold the inner products of the centred rows, in fewer rows', () => {
    const [contrasts, rows] = [contrastsWithin(state, used), centreWithin(state, used)];
    expect(contrasts.rows).toBe(rows.rows - used.count);
    expectEqual(crossProduct(contrasts, contrasts), crossProduct(rows, rows));
  });

  it('give the centred rows back', () => {
    expectEqual(rowsOfContrasts(contrastsWithin(state, used), used), centreWithin(state, used));
  });

  it('are exactly 0 where the alternatives are the same', () => {
    const same = zeros(state.rows, 1);
    // a third has no end in binary, so that a mean over five of them is off by rounding
    for (let row = 0; row < same.rows; row++)
      same.data[row] = ((branches.episode[row] as number) * 10 + (branches.turn[row] as number)) / 3;
    expect(contrastsWithin(same, used).data.every((value) => value === 0)).toBe(true);
  });
});
