/**
 * The source layers in one fold of a strict score: target layer and ridge penalty are chosen by scenario folds inside the training part, then the
 * whole training part predicts the fold's rows.
 */
import { invertSymmetric } from '../../numeric/cholesky.ts';
import { takeRows, transpose, zeros } from '../../numeric/matrix.ts';
import { chooseModels, meanEigenvalue, type Choice } from './choose-penalty.ts';
import type { StrictRows } from './rows.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

export interface FoldData {
  rows: StrictRows;
  train: Int32Array;
  test: Int32Array;
  /** Residual components per source and target layer, [n, k] each. */
  sources: Matrix[];
  targets: Matrix[];
}

export interface LayerFit extends Choice {
  /** Source components → target components [k, l]. */
  beta: Matrix;
  /** Predictions of the test rows [test, l]. */
  predicted: Matrix;
  /** Maps training targets to predictions [test, train]: of the chosen penalty, and of the fixed heavy one of the evidence. */
  hat: Matrix;
  evidenceHat: Matrix;
}

/** As a share of the mean eigenvalue of the training part. */
const PENALTY_FOR_EVIDENCE = 3;

/** Per source layer. */
export async function fitLayers(data: FoldData, algebra: LinearAlgebra): Promise<LayerFit[]> {
  const fits: LayerFit[] = [];
  for (const [layer, choice] of (await chooseModels(data, algebra)).entries())
    fits.push(await fitLayer(data, { layer, choice }, algebra));
  return fits;
}

async function fitLayer(
  data: FoldData,
  { layer, choice }: { layer: number; choice: Choice },
  algebra: LinearAlgebra,
): Promise<LayerFit> {
  const source = data.sources[layer] as Matrix;
  const train = takeRows(source, data.train);
  const test = takeRows(source, data.test);
  const trainByColumn = transpose(train);
  const gram = await algebra.gram(trainByColumn);
  const inverse = (share: number): Matrix => invertSymmetric(gram, share * meanEigenvalue(gram));
  const own = inverse(choice.penalty);
  const truth = takeRows(data.targets[choice.target] as Matrix, data.train);
  const beta = await algebra.multiply(own, await algebra.multiply(trainByColumn, truth));
  const [hat, evidenceHat] = await hats(
    test,
    { inverses: [own, inverse(PENALTY_FOR_EVIDENCE)], train },
    algebra,
  );
  return { ...choice, beta, predicted: await algebra.multiply(test, beta), hat, evidenceHat };
}

/** Test rows · inverse · training rowsᵀ [test, train], for both inverses. */
async function hats(
  test: Matrix,
  { inverses, train }: { inverses: [Matrix, Matrix]; train: Matrix },
  algebra: LinearAlgebra,
): Promise<[Matrix, Matrix]> {
  const stacked = zeros(2 * test.rows, test.cols);
  for (const [at, inverse] of inverses.entries())
    stacked.data.set((await algebra.multiply(test, inverse)).data, at * test.data.length);
  const { data } = await algebra.multiplyTransposed(stacked, train);
  const half = test.rows * train.rows;
  const part = (at: number): Matrix => ({
    rows: test.rows,
    cols: train.rows,
    data: data.subarray(at * half, (at + 1) * half),
  });
  return [part(0), part(1)];
}
