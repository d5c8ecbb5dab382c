/**
 * Granger causality from A to B: does A's past help to predict B beyond B's own past?
 * Formula: ln(det Σ of B from B's past / det Σ of B from B's and A's past), on the first k components of each
 * (default k = 1), least squares with intercept on `order` past steps (default 1).
 * Range: 0 upwards; not corrected for the number of parameters.
 * Reference: Geweke, 1982.
 * No score: fewer steps than parameters + 10, fewer than k dimensions of variance, a perfect prediction, values that
 * are not finite.
 */
import { settledComponents } from '../../numeric/principal-components.ts';
import { cholesky, solveSymmetric } from '../../numeric/cholesky.ts';
import { crossProduct, joinColumns, product, takeRows } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { centreColumns, aligned, type Measure } from './measure.ts';

const SPARE_STEPS = 10;

/** ln det of the residual covariance of y given x, both centred; undefined if no residual is left. */
function residualLogDet(y: Matrix, x: Matrix): number | undefined {
  const beta = solveSymmetric(crossProduct(x, x), 0, crossProduct(x, y));
  const fitted = product(x, beta);
  const rest = { ...y, data: y.data.map((value, at) => value - (fitted.data[at] as number)) };
  const factor = cholesky(crossProduct(rest, rest), 0);
  if (factor === undefined) return undefined;
  let sum = 0;
  for (let k = 0; k < y.cols; k++)
    sum += 2 * Math.log((factor[k * y.cols + k] as number) / Math.sqrt(y.rows));
  return sum;
}

/** The steps t − 1 … t − order side by side, for t = order … end. */
function past(m: Matrix, order: number): Matrix {
  const shifts = Array.from({ length: order }, (_, k) => k + 1);
  return joinColumns(shifts.map((back) => takeRows(m, range(order - back, m.rows - back))));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, k) => from + k);
}

async function components(m: Matrix, count: number, algebra: LinearAlgebra): Promise<Matrix> {
  const centred = centreColumns(m);
  return m.cols === count ? centred : settledComponents(await algebra.gram(centred), count, algebra);
}

export const granger: Measure = {
  name: 'granger',
  about: "Granger causality: does A's past help to predict B beyond B's own past?",
  formula: "ln(det of B's residual covariance from B's past / from B's and A's past)",
  range: '0 upwards',
  reference: 'Geweke 1982',
  compute: async (source, target, { algebra, components: count = 1, order = 1 }) => {
    const streams = aligned(source, target, 2 * count * order + 1 + SPARE_STEPS + order);
    if ('reason' in streams) return streams;
    const x = await components(streams.a, count, algebra);
    const y = await components(streams.b, count, algebra);
    if (x.cols < count || y.cols < count) return { reason: `a stream has fewer than ${count} dimensions` };
    const now = centreColumns(takeRows(y, range(order, y.rows)));
    const own = centreColumns(past(y, order));
    const restricted = residualLogDet(now, own);
    const full = residualLogDet(now, joinColumns([own, centreColumns(past(x, order))]));
    if (restricted === undefined || full === undefined)
      return { reason: 'the prediction leaves nothing over' };
    return { value: Math.max(0, restricted - full), more: { order, components: count } };
  },
};
