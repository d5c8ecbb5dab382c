/**
 * Singular vector canonical correlation: how well do the leading subspaces of the two streams agree?
 * Formula: mean singular value of UᵀV, where U and V are the first k left singular vectors of the centred streams
 * (default k = 10).
 * Range: 0 to 1; depends on k and grows with k / steps.
 * Reference: Raghu, Gilmer, Yosinski, Sohl-Dickstein, 2017.
 * No score: fewer than k + 1 steps, fewer than k dimensions of variance, values that are not finite.
 */
import { symmetricEigen } from '../../numeric/eigen.ts';
import { crossProduct, product, transpose, shiftRows, zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import { centreColumns, unshifted, aligned, type Measure, type PrepareShifts } from './measure.ts';

const COMPONENTS = 10;
const RANK_TOLERANCE = 1e-12;

/**
 * The first k left singular vectors [steps, k], from the smaller of the two Gram matrices; undefined if the
 * rank is below k.
 */
function leftSingularVectors(m: Matrix, k: number): Matrix | undefined {
  const tall = m.rows > m.cols;
  const flipped = transpose(m);
  const { values, vectors } = symmetricEigen(tall ? crossProduct(m, m) : crossProduct(flipped, flipped));
  if (k > values.length || (values[k - 1] as number) <= RANK_TOLERANCE * (values[0] as number))
    return undefined;
  const kept = zeros(vectors.rows, k);
  for (let r = 0; r < kept.rows; r++) {
    for (let c = 0; c < k; c++) {
      const scale = tall ? Math.sqrt(values[c] as number) : 1;
      kept.data[r * k + c] = (vectors.data[r * vectors.cols + c] as number) / scale;
    }
  }
  return tall ? product(m, kept) : kept;
}

const shifted: PrepareShifts = async (x, y, { components = COMPONENTS }) => {
  const streams = aligned(x, y, components + 1);
  if ('reason' in streams) return streams;
  const { a, b } = streams;
  const u = leftSingularVectors(centreColumns(a), components);
  const v = leftSingularVectors(centreColumns(b), components);
  if (u === undefined || v === undefined)
    return { reason: `a stream has fewer than ${components} dimensions` };
  return (by) => {
    const overlap = crossProduct(u, shiftRows(v, by));
    const values = symmetricEigen(crossProduct(overlap, overlap)).values;
    const correlations = Array.from(values, (value) => Math.min(1, Math.sqrt(Math.max(0, value))));
    return { value: correlations.reduce((sum, r) => sum + r, 0) / components, more: { correlations } };
  };
};

export const svcca: Measure = {
  name: 'svcca',
  about: 'Canonical correlation of the leading subspaces of the two streams.',
  formula: 'mean singular value of U^T V, first k left singular vectors of the centred streams',
  range: '0 to 1',
  reference: 'Raghu et al. 2017',
  compute: unshifted(shifted),
  shifted,
};
