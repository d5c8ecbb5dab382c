/**
 * Linear CKA from the unbiased estimator of HSIC: like CKA, but about 0 for unrelated streams however few the steps.
 * Formula: h(K, L) / √(h(K, K) h(L, L)), h without the diagonals:
 *   h = (⟨K, L⟩ + ΣK ΣL / ((n−1)(n−2)) − 2 K1·L1 / (n−2)) / (n (n−3)).
 * Range: about −1 to 1.
 * Reference: Song, Smola, Gretton, Bedo, Borgwardt, 2012; Nguyen, Raghu, Kornblith, 2021.
 * No score: fewer than 4 steps, values that are not finite, a stream that does not vary.
 */
import { shiftBoth, zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import { centreColumns, unshifted, aligned, type Measure, type PrepareShifts } from './measure.ts';

function unbiasedHsic(k: Matrix, l: Matrix): number {
  const n = k.rows;
  const rowsK = zeros(n, 1).data;
  const rowsL = zeros(n, 1).data;
  let inner = 0;
  for (let r = 0; r < n; r++) {
    for (let c = 0; c < n; c++) {
      if (r === c) continue;
      const x = k.data[r * n + c] as number;
      const y = l.data[r * n + c] as number;
      inner += x * y;
      rowsK[r] = (rowsK[r] as number) + x;
      rowsL[r] = (rowsL[r] as number) + y;
    }
  }
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
  const along = rowsK.reduce((total, value, r) => total + value * (rowsL[r] as number), 0);
  return (inner + (sum(rowsK) * sum(rowsL)) / ((n - 1) * (n - 2)) - (2 * along) / (n - 2)) / (n * (n - 3));
}

const shifted: PrepareShifts = async (x, y, { algebra }) => {
  const streams = aligned(x, y, 4);
  if ('reason' in streams) return streams;
  const { a, b } = streams;
  const k = await algebra.gram(centreColumns(a));
  const l = await algebra.gram(centreColumns(b));
  const scale = unbiasedHsic(k, k) * unbiasedHsic(l, l);
  if (!(scale > 0)) return { reason: 'too little spread for an unbiased estimate' };
  return (by) => ({ value: unbiasedHsic(k, shiftBoth(l, by)) / Math.sqrt(scale) });
};

export const ckaUnbiased: Measure = {
  name: 'cka-unbiased',
  about: 'Linear CKA without the bias of few steps: about 0 for unrelated streams.',
  formula: 'h(K, L) / sqrt(h(K, K) h(L, L)), h the unbiased estimator of HSIC',
  range: 'about -1 to 1',
  reference: 'Song et al. 2012; Nguyen et al. 2021',
  compute: unshifted(shifted),
  shifted,
};
