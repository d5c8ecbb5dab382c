/** What every measure between two aligned streams looks like, and the checks that all of them share. */
import { blockOf, copyOf, isFinite } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore } from '../types.ts';

export interface MeasureOptions {
  algebra: LinearAlgebra;
  /** Leading components kept where a measure works on components. */
  components?: number;
  /** Largest shift tried, in steps. */
  maxLag?: number;
  /** Steps of the past that a prediction may use. */
  order?: number;
  /** Pass band in cycles per step, at most 0.5; left out: all frequencies. */
  band?: [low: number, high: number];
}

/** `warnings` say what was done to the streams, or what is doubtful about them. */
export type MeasureAnswer =
  | { value: number; more?: Record<string, number | number[]>; warnings?: string[] }
  /** Over the channels of A, then those of B: [channels, channels]; `ofA` says how many are A's. */
  | { matrix: Matrix; ofA: number; warnings?: string[] }
  | NoScore;

export interface Measure {
  name: string;
  /** What it asks, one sentence. */
  about: string;
  formula: string;
  range: string;
  reference: string;
  /** a [steps, dimsA] and b [steps, dimsB], row for row at the same time. */
  compute(a: Matrix, b: Matrix, options: MeasureOptions): Promise<MeasureAnswer>;
  /** The same for many turns of B at once, where that costs little more than one. */
  turned?: Turning;
  /** How many steps apart the measure itself looks; a surrogate is turned round by more. */
  reach?(steps: number, options: MeasureOptions): number;
}

/** The measure of A and of B turned round: row t of B holds what row t − `by` held, the end comes round to the start. */
export type Turned = (by: number) => MeasureAnswer;

export type Turning = (a: Matrix, b: Matrix, options: MeasureOptions) => Promise<Turned | NoScore>;

/** The measure of the streams as they are. */
export function unturned(turning: Turning): Measure['compute'] {
  return async (a, b, options) => {
    const turned = await turning(a, b, options);
    return typeof turned === 'function' ? turned(0) : turned;
  };
}

export interface Streams {
  a: Matrix;
  b: Matrix;
}

/**
 * Two streams that can be measured, or why not. All measures are free of scale, so a stream of very small or large
 * values (tesla, femtovolt)
 * comes back times a power of two: its digits stay, and squares of squares neither vanish nor overflow.
 */
export function aligned(a: Matrix, b: Matrix, fewestSteps: number): Streams | NoScore {
  if (a.rows !== b.rows) return { reason: `the streams are not aligned: ${a.rows} and ${b.rows} steps` };
  if (a.rows < fewestSteps) return { reason: `only ${a.rows} steps, at least ${fewestSteps} are needed` };
  if (!isFinite(a) || !isFinite(b)) return { reason: 'a stream holds NaN or infinity' };
  if (isConstant(a) || isConstant(b)) return { reason: 'a stream does not vary' };
  return { a: copyNearOne(a), b: copyNearOne(b) };
}

/** What is doubtful where measures hold dim c of one stream against dim c of another with other dims. */
export function unlikeDims(a: Matrix, b: Matrix): { warnings?: string[] } {
  if (a.cols === b.cols) return {};
  const first = Math.min(a.cols, b.cols);
  return {
    warnings: [
      `the streams have ${a.cols} and ${b.cols} dims: the first ${first} of each are held against each other, which says something only where they are the same`,
    ],
  };
}

/** The first `count` columns. */
export function firstColumns(m: Matrix, count: number): Matrix {
  return m.cols === count ? m : blockOf(m, { top: 0, left: 0, rows: m.rows, cols: count });
}

/** Exponents within which sums of fourth powers keep their digits. */
const SAFE_EXPONENT = 60;

/** Multiplies values in place by the power of two that brings the largest near 1, where they are far from it. */
export function nearOne(values: Float64Array): void {
  const exponent = exponentOf(values);
  if (Math.abs(exponent) > SAFE_EXPONENT) values.set(scaledBy(values, -exponent));
}

function copyNearOne(m: Matrix): Matrix {
  if (Math.abs(exponentOf(m.data)) <= SAFE_EXPONENT) return m;
  const copy = copyOf(m);
  nearOne(copy.data);
  return copy;
}

/** Times 2^exponent, exactly; in two steps, for half of the range of exponents has no number of its own. */
export function scaledBy(values: Float64Array, exponent: number): Float64Array {
  const half = Math.trunc(exponent / 2);
  return values.map((value) => value * 2 ** half * 2 ** (exponent - half));
}

/** The power of two at or below the largest size; 0 where all is 0. */
export function exponentOf(values: Float64Array): number {
  let largest = 0;
  for (let at = 0; at < values.length; at++) largest = Math.max(largest, Math.abs(values[at] as number));
  return largest > 0 ? Math.floor(Math.log2(largest)) : 0;
}

function isConstant(m: Matrix): boolean {
  return m.data.every((value, at) => at < m.cols || value === m.data[at - m.cols]);
}

/** Column means taken out; a column that holds one value becomes exactly 0. */
export function centreColumns(m: Matrix): Matrix {
  const { cols } = m;
  // From the first row on, or the mean of one value would round and leave its rounding behind.
  const fromFirst = m.data.map((value, at) => value - (m.data[at % cols] as number));
  const means = new Float64Array(cols);
  for (const [at, value] of fromFirst.entries())
    means[at % cols] = (means[at % cols] as number) + value / m.rows;
  return { ...m, data: fromFirst.map((value, at) => value - (means[at % cols] as number)) };
}

/** Pearson's correlation; undefined where one side does not vary. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number | undefined {
  const n = x.length;
  // From the first value on, or the mean of a constant would round, and rounding correlates perfectly with rounding.
  const [firstX, firstY] = [x[0] as number, y[0] as number];
  let meanX = 0;
  let meanY = 0;
  for (let k = 0; k < n; k++) {
    meanX += ((x[k] as number) - firstX) / n;
    meanY += ((y[k] as number) - firstY) / n;
  }
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let k = 0; k < n; k++) {
    const dx = (x[k] as number) - firstX - meanX;
    const dy = (y[k] as number) - firstY - meanY;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  const scale = Math.sqrt(xx) * Math.sqrt(yy);
  return scale > 0 ? Math.max(-1, Math.min(1, xy / scale)) : undefined;
}

/** Correlations whose Fisher ratios are multiplied before a logarithm is taken: none of them is above 2e15. */
const RATIOS = 16;
const NEAREST_ONE = 1 - 1e-15;

/** Mean of correlations in Fisher's z, turned back: ½ Σ ln((1 + r) / (1 − r)) / n; undefined for none. */
export function fisherMean(correlations: ArrayLike<number>): number | undefined {
  const count = correlations.length;
  if (count === 0) return undefined;
  let sum = 0;
  let ratios = 1;
  for (let k = 0; k < count; k++) {
    const r = Math.max(-NEAREST_ONE, Math.min(NEAREST_ONE, correlations[k] as number));
    ratios *= (1 + r) / (1 - r);
    if (k % RATIOS !== RATIOS - 1) continue;
    sum += Math.log(ratios);
    ratios = 1;
  }
  return Math.tanh((sum + Math.log(ratios)) / (2 * count));
}
