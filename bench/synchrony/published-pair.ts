/** The published algorithm on the same backend as the map. */
import { joinColumns, takeRows } from '../../src/numeric/matrix.ts';
import { centreColumns } from '../../src/synchrony/measures/measure.ts';
import type { LinearAlgebra, Matrix } from '../../src/numeric/linear-algebra.ts';
import type { TurnPairs } from '../../src/synchrony/types.ts';

/** Mean R² of one pair of layers in one split, as the paper's code computes it. */
export async function publishedPair(pairs: TurnPairs, algebra: LinearAlgebra): Promise<number> {
  const test = Array.from({ length: 200 }, (_, k) => 5 * k);
  const train = Array.from({ length: pairs.n }, (_, row) => row).filter((row) => row % 5 !== 0);
  const ones = (rows: number): Matrix => ({ rows, cols: 1, data: new Float64Array(rows).fill(1) });
  const [source, target] = [pairs.source[0] as Matrix, pairs.target[0] as Matrix];
  const x = joinColumns([takeRows(source, train), ones(train.length)]);
  const gram = await algebra.crossMultiply(x, x);
  gram.data[gram.data.length - 1] = train.length - 0.1; // the intercept has no penalty
  const inverse = await algebra.invertRidge(gram, 0.1, gram.data);
  const beta = await algebra.multiply(inverse, await algebra.crossMultiply(x, takeRows(target, train)));
  const predicted = await algebra.multiply(joinColumns([takeRows(source, test), ones(test.length)]), beta);
  return meanR2(predicted, takeRows(target, test));
}

function meanR2(predicted: Matrix, truth: Matrix): number {
  const centred = centreColumns(truth);
  const errors = new Float64Array(truth.cols);
  const totals = new Float64Array(truth.cols);
  for (let at = 0; at < truth.data.length; at++) {
    const c = at % truth.cols;
    errors[c] = (errors[c] as number) + ((truth.data[at] as number) - (predicted.data[at] as number)) ** 2;
    totals[c] = (totals[c] as number) + (centred.data[at] as number) ** 2;
  }
  return errors.reduce((sum, error, c) => sum + 1 - error / (totals[c] as number), 0) / truth.cols;
}
