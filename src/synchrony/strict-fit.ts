/**
 * One source layer in one fold of a strict score: target layer and ridge penalty are chosen by scenario folds inside the training part, then the
 * whole training part predicts the fold's rows.
 */
import { solveSymmetric } from './cholesky.ts';
import { crossProduct, product, productTransposed, takeRows, transpose } from './matrix.ts';
import { chooseModel, meanEigenvalue } from './strict-choice.ts';
import type { StrictRows } from './strict-rows.ts';
import type { Matrix } from './types.ts';

export interface FoldData {
  rows: StrictRows;
  train: Int32Array;
  test: Int32Array;
  /** Residual components per source and target layer, [n, k] each. */
  sources: Matrix[];
  targets: Matrix[];
  /** Per source layer: how much wider the evidence is than its exchanges; left out: as wide. */
  widening?: number[];
}

export interface LayerFit {
  target: number;
  /** Share of the mean eigenvalue. */
  penalty: number;
  /** Predictions of the test rows [test, k]. */
  predicted: Matrix;
  /** Maps training targets to predictions [test, train]: of the chosen penalty, and of the fixed heavy one of the evidence. */
  hat: Matrix;
  evidenceHat: Matrix;
}

/** As a share of the mean eigenvalue of the training part. */
const PENALTY_FOR_EVIDENCE = 3;

export function fitLayer(data: FoldData, layer: number): LayerFit {
  const source = data.sources[layer] as Matrix;
  const train = takeRows(source, data.train);
  const test = takeRows(source, data.test);
  const gram = crossProduct(train, train);
  const { target, penalty } = chooseModel(data, source);
  const hatFor = (share: number): Matrix =>
    productTransposed(test, transpose(solveSymmetric(gram, share * meanEigenvalue(gram), transpose(train))));
  const hat = hatFor(penalty);
  const predicted = product(hat, takeRows(data.targets[target] as Matrix, data.train));
  return { target, penalty, predicted, hat, evidenceHat: hatFor(PENALTY_FOR_EVIDENCE) };
}

/** Source components → target components [k, l]: what `hat` applies to the training targets. */
export function fitCoefficients(data: FoldData, layer: number, fit: LayerFit): Matrix {
  const train = takeRows(data.sources[layer] as Matrix, data.train);
  const gram = crossProduct(train, train);
  const cross = crossProduct(train, takeRows(data.targets[fit.target] as Matrix, data.train));
  return solveSymmetric(gram, fit.penalty * meanEigenvalue(gram), cross);
}
