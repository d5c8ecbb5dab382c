/**
 * Linear centred kernel alignment: do the two streams arrange their steps alike?
 * Formula: ⟨K, L⟩ / √(⟨K, K⟩ ⟨L, L⟩), K and L the Gram matrices of the centred streams.
 * Range: 0 to 1; unchanged by rotation and by one scale per stream.
 * Reference: Kornblith, Norouzi, Lee, Hinton, 2019.
 * No score: fewer than 3 steps, values that are not finite, a stream that does not vary.
 */
import { innerProduct, shiftBoth } from '../../numeric/matrix.ts';
import { centreColumns, unshifted, aligned, type Measure, type PrepareShifts } from './measure.ts';

const shifted: PrepareShifts = async (x, y, { algebra }) => {
  const streams = aligned(x, y, 3);
  if ('reason' in streams) return streams;
  const { a, b } = streams;
  const k = await algebra.gram(centreColumns(a));
  const l = await algebra.gram(centreColumns(b));
  const scale = Math.sqrt(innerProduct(k, k) * innerProduct(l, l));
  if (!(scale > 0)) return { reason: 'a stream does not vary' };
  return (by) => ({ value: innerProduct(k, shiftBoth(l, by)) / scale });
};

export const cka: Measure = {
  name: 'cka',
  about: 'Linear centred kernel alignment: do the two streams arrange their steps alike?',
  formula: '<K, L> / sqrt(<K, K> <L, L>), K and L Gram matrices of the centred streams',
  range: '0 to 1',
  reference: 'Kornblith et al. 2019',
  compute: unshifted(shifted),
  shifted,
};
