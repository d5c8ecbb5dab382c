/**
 * One source layer in one fold of a strict score: target layer and ridge penalty are chosen by scenario folds inside the training part, then the
 * whole training part predicts the fold's rows.
 */
import { solveSymmetric } from './cholesky.ts';
import { crossProduct, innerProduct, product, productTransposed, takeRows, transpose } from './matrix.ts';
import type { StrictRows } from './strict-rows.ts';
import type { Matrix } from './types.ts';

export interface FoldData {
  rows: StrictRows;
  train: Int32Array;
  test: Int32Array;
  /** Residual components per source and target layer, [n, k] each. */
  sources: Matrix[];
  targets: Matrix[];
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

/** Penalties as shares of the mean eigenvalue of the training part. */
const PENALTIES = [0.01, 0.1, 0.3, 1, 3, 10, 30];
const PENALTY_FOR_LAYERS = 3;
const PENALTY_FOR_EVIDENCE = 3;
const INNER_FOLDS = 3;

export function fitLayer(data: FoldData, layer: number): LayerFit {
  const source = data.sources[layer] as Matrix;
  const train = takeRows(source, data.train);
  const test = takeRows(source, data.test);
  const gram = crossProduct(train, train);
  const { target, penalty } = choose(data, source);
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

/** Sums over the rows of one inner fold. */
interface Block {
  /** ZᵀZ [k, k] */
  gram: Matrix;
  /** ZᵀW per target layer [k, l] */
  cross: Matrix[];
  /** ‖W‖² per target layer */
  energy: number[];
}

function choose(data: FoldData, source: Matrix): { target: number; penalty: number } {
  const blocks = innerBlocks(data, source);
  const gain = (target: number, share: number): number =>
    blocks.reduce((sum, held) => sum + gainOn(held, blocks, { target, share }), 0) / blocks.length;
  const target = argMax(data.targets.map((_, index) => gain(index, PENALTY_FOR_LAYERS)));
  const penalty = PENALTIES[argMax(PENALTIES.map((share) => gain(target, share)))] as number;
  return { target, penalty };
}

/** The training rows in inner folds; whole outer folds stay together, so scenarios do too. */
function innerBlocks(data: FoldData, source: Matrix): Block[] {
  const folds = [...new Set(data.train.map((row) => data.rows.fold[row] as number))].sort((a, b) => a - b);
  const count = Math.min(INNER_FOLDS, folds.length);
  return Array.from({ length: count }, (_, inner) => {
    const rows = data.train.filter((row) => folds.indexOf(data.rows.fold[row] as number) % count === inner);
    const z = takeRows(source, rows);
    const targets = data.targets.map((target) => takeRows(target, rows));
    return {
      gram: crossProduct(z, z),
      cross: targets.map((w) => crossProduct(z, w)),
      energy: targets.map((w) => innerProduct(w, w)),
    };
  });
}

/** Share of the held block's energy that a ridge fitted on the other blocks explains. */
function gainOn(held: Block, blocks: Block[], model: { target: number; share: number }): number {
  const others = blocks.filter((block) => block !== held);
  if (others.length === 0) return 0;
  const gram = sumOf(others.map((block) => block.gram));
  const cross = sumOf(others.map((block) => block.cross[model.target] as Matrix));
  const beta = solveSymmetric(gram, model.share * meanEigenvalue(gram), cross);
  const explained = 2 * innerProduct(beta, held.cross[model.target] as Matrix);
  return (
    (explained - innerProduct(beta, product(held.gram, beta))) / ((held.energy[model.target] as number) || 1)
  );
}

function sumOf(parts: Matrix[]): Matrix {
  const first = parts[0] as Matrix;
  const data = first.data.map((_, at) => parts.reduce((sum, part) => sum + (part.data[at] as number), 0));
  return { ...first, data };
}

function meanEigenvalue(gram: Matrix): number {
  let trace = 0;
  for (let k = 0; k < gram.rows; k++) trace += gram.data[k * gram.rows + k] as number;
  return trace / Math.max(1, gram.rows);
}

function argMax(values: number[]): number {
  return values.indexOf(Math.max(...values));
}
