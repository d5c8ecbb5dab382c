/**
 * The prequential score: every turn pair is predicted by what was learnt from earlier ones alone, and learnt only then. What A's state adds:
 *   score = mean over layers of 1 − Σ |y − ŷ|² / Σ |y − ŷ₀|², the sums over the rows tested so far,
 * ŷ and ŷ₀ ridge regressions with and without A's state beside the turn number and the text of A's prompt. Nothing looks ahead: states are
 * taken minus their mean over earlier rows of the episode (its first row sets the mean and is not tested), scales come from the first rows,
 * and of three penalties the one counts that has erred least so far.
 * Range: up to 1; around 0 or a little below without coupling.
 * Reference: Dawid, 1984. No score before the first tested row, or where no layer leaves anything to explain.
 */
import { createGrowingRidge, type GrowingRidge } from './growing-ridge.ts';
import { rowRange, zeros } from '../../numeric/matrix.ts';
import { centre, type Centred, type EpisodeMeans, type PrequentialRow } from './prequential-rows.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

export interface PrequentialScore {
  score: number;
  /** Rows tested so far. */
  tested: number;
}

export interface Prequential {
  take(rows: readonly PrequentialRow[]): Promise<void>;
  score(): PrequentialScore | undefined;
}

export const PENALTIES = [0.3, 3, 30] as const;
/** Rows that set the scales; they are learnt and not tested. */
export const WARM_UP = 30;
/** Rows that are learnt; later ones are tested by what these taught. */
export const MOST_LEARNT = 512;

interface Layer {
  /** [MOST_LEARNT, dims], scaled. */
  x: Matrix;
  y: Matrix;
  scales: { x: Float64Array; y: Float64Array };
  ridges: GrowingRidge[];
  /** Per penalty, with A's state and without. */
  errors: { full: number[]; base: number[] };
  /** Of the penalties that had erred least before each row. */
  sums: { full: number; base: number };
}

interface Learner {
  algebra: LinearAlgebra;
  means: Map<number, EpisodeMeans>;
  waiting: Centred[];
  learnt: Centred[];
  tested: number;
  base: GrowingRidge[];
  layers: Layer[];
}

export function createPrequential(algebra: LinearAlgebra): Prequential {
  const learner: Learner = {
    algebra,
    means: new Map(),
    waiting: [],
    learnt: [],
    tested: 0,
    base: newRidges(),
    layers: [],
  };
  return {
    take: async (rows) => {
      const fresh = rows.flatMap((row) => centre(learner.means, row));
      if (learner.layers.length === 0) {
        learner.waiting.push(...fresh);
        if (learner.waiting.length < WARM_UP) return;
        learner.layers = openLayers(learner.waiting.slice(0, WARM_UP));
        await takeBatch(learner, learner.waiting.splice(0, WARM_UP), false);
        await takeBatch(learner, learner.waiting.splice(0), true);
      } else await takeBatch(learner, fresh, true);
    },
    score: () => scoreOf(learner),
  };
}

const newRidges = (): GrowingRidge[] => PENALTIES.map((lambda) => createGrowingRidge(lambda, MOST_LEARNT));

function openLayers(rows: Centred[]): Layer[] {
  const count = rows[0]?.source.length ?? 0;
  return Array.from({ length: count }, (_, layer) => {
    const of = (side: 'source' | 'target'): Float64Array[] =>
      rows.map((row) => row[side][layer] as Float64Array);
    const scales = { x: scalesOf(of('source')), y: scalesOf(of('target')) };
    return {
      x: zeros(MOST_LEARNT, scales.x.length),
      y: zeros(MOST_LEARNT, scales.y.length),
      scales,
      ridges: newRidges(),
      errors: { full: PENALTIES.map(() => 0), base: PENALTIES.map(() => 0) },
      sums: { full: 0, base: 0 },
    };
  });
}

/** One over the root mean square of each dim, over √dims: a row's squares add up to about 1. A dim that is 0 throughout stays out. */
function scalesOf(rows: Float64Array[]): Float64Array {
  const dims = rows[0]?.length ?? 0;
  return Float64Array.from({ length: dims }, (_, c) => {
    const square = rows.reduce((sum, row) => sum + (row[c] as number) ** 2, 0) / rows.length;
    return square > 0 ? 1 / Math.sqrt(square * dims) : 0;
  });
}

async function takeBatch(learner: Learner, rows: Centred[], test: boolean): Promise<void> {
  const known = learner.learnt.length;
  const room = Math.max(0, MOST_LEARNT - known);
  // Rows over the cap see the same earlier rows, so they need no order among themselves.
  const batches = [rows.slice(0, room), rows.slice(room)];
  for (const [late, batch] of batches.entries()) {
    if (batch.length === 0) continue;
    const base = weighBase(learner, batch, late === 0);
    for (const layer of learner.layers.keys())
      await takeLayer(learner, { batch, base, layer, grows: late === 0, test });
    if (test) learner.tested += batch.length;
    if (late === 0) learner.learnt.push(...batch);
  }
}

interface Weighed {
  /** Row of the batch → k₀(row, earlier row), then with itself. */
  kernels: Float64Array[];
  /** Row of the batch → penalty → weights of the earlier rows. */
  weights: Float64Array[][];
}

function weighBase({ learnt, base }: Learner, batch: Centred[], grows: boolean): Weighed {
  const before = [...learnt];
  const kernels: Float64Array[] = [];
  const weights = batch.map((row) => {
    const kernel = Float64Array.from([...before, row], (other) => baseKernel(row, other));
    kernels.push(kernel);
    const found = base.map((ridge) => ridge.weigh(kernel));
    if (grows) {
      for (const ridge of base) ridge.grow();
      before.push(row);
    }
    return found;
  });
  return { kernels, weights };
}

function baseKernel(a: Centred, b: Centred): number {
  return (
    1 +
    (a.turn === b.turn ? 1 : 0) +
    dot(a.text, b.text) +
    dot(a.words, b.words) +
    dot(a.sentence, b.sentence)
  );
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] as number) * (b[k] as number);
  return sum;
}

interface LayerBatch {
  batch: Centred[];
  base: Weighed;
  layer: number;
  grows: boolean;
  test: boolean;
}

async function takeLayer({ algebra, learnt, layers }: Learner, of: LayerBatch): Promise<void> {
  const { batch, base, grows, test } = of;
  const layer = layers[of.layer] as Layer;
  const x = scaledRows(
    batch.map(({ source }) => source[of.layer] as Float64Array),
    layer.scales.x,
  );
  const y = scaledRows(
    batch.map(({ target }) => target[of.layer] as Float64Array),
    layer.scales.y,
  );
  const known = learnt.length;
  if (grows) {
    layer.x.data.set(x.data, known * x.cols);
    layer.y.data.set(y.data, known * y.cols);
  }
  const seen = known + (grows ? batch.length : 0);
  const products = await algebra.multiplyTransposed(x, rowRange(layer.x, 0, seen));
  const own = x.rows === 0 ? [] : Array.from({ length: x.rows }, (_, r) => squareOf(x, r));
  const full = batch.map((_, r) => {
    const kernel = Float64Array.from(
      base.kernels[r] as Float64Array,
      (value, s, all = base.kernels[r] as Float64Array) =>
        value + (s < all.length - 1 ? (products.data[r * seen + s] as number) : (own[r] as number)),
    );
    const weights = layer.ridges.map((ridge) => ridge.weigh(kernel));
    if (grows) for (const ridge of layer.ridges) ridge.grow();
    return weights;
  });
  if (!test) return;
  const earlier = rowRange(layer.y, 0, seen);
  const errorsFull = await errorsOf(algebra, { weights: full, y, earlier });
  const errorsBase = await errorsOf(algebra, { weights: base.weights, y, earlier });
  for (const r of batch.keys()) {
    count(layer, 'full', errorsFull[r] as number[]);
    count(layer, 'base', errorsBase[r] as number[]);
  }
}

/** The penalty that has erred least so far counts; then all are judged by the row. */
function count({ errors, sums }: Layer, kind: 'full' | 'base', found: number[]): void {
  const best = errors[kind].indexOf(Math.min(...errors[kind]));
  sums[kind] += found[best] as number;
  errors[kind] = errors[kind].map((error, penalty) => error + (found[penalty] as number));
}

/** Row → penalty → squared error. */
async function errorsOf(
  algebra: LinearAlgebra,
  of: { weights: Float64Array[][]; y: Matrix; earlier: Matrix },
): Promise<number[][]> {
  const { weights, y, earlier } = of;
  const all = zeros(weights.length * PENALTIES.length, earlier.rows);
  for (const [r, row] of weights.entries())
    for (const [penalty, some] of row.entries())
      all.data.set(some, (r * PENALTIES.length + penalty) * all.cols);
  const predicted = await algebra.multiply(all, earlier);
  return weights.map((row, r) =>
    row.map((_, penalty) => {
      const start = (r * PENALTIES.length + penalty) * y.cols;
      let sum = 0;
      for (let c = 0; c < y.cols; c++)
        sum += ((y.data[r * y.cols + c] as number) - (predicted.data[start + c] as number)) ** 2;
      return sum;
    }),
  );
}

function scaledRows(rows: Float64Array[], scales: Float64Array): Matrix {
  const out = zeros(rows.length, scales.length);
  for (const [r, row] of rows.entries())
    for (let c = 0; c < scales.length; c++)
      out.data[r * scales.length + c] = (row[c] as number) * (scales[c] as number);
  return out;
}

function squareOf({ cols, data }: Matrix, row: number): number {
  const values = data.subarray(row * cols, (row + 1) * cols);
  return dot(values, values);
}

function scoreOf({ layers, tested }: Learner): PrequentialScore | undefined {
  const perLayer = layers.filter(({ sums }) => sums.base > 0).map(({ sums }) => 1 - sums.full / sums.base);
  if (tested === 0 || perLayer.length === 0) return undefined;
  return { score: perLayer.reduce((sum, value) => sum + value, 0) / perLayer.length, tested };
}
