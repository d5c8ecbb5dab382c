/** The interface of a measure between two aligned streams, and the checks that all measures share. */
import { blockOf, copyOf, isFinite } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore } from '../types.ts';

export interface MeasureOptions {
  algebra: LinearAlgebra;
  /** Number of leading components, for measures on components. */
  components?: number;
  /** Largest lag, in steps. */
  maxLag?: number;
  /** Number of past steps that a prediction may use. */
  order?: number;
  /** Pass band in cycles per step, at most 0.5; by default all frequencies. */
  band?: [low: number, high: number];
}

/** `warnings` say what was done to the streams, or what is doubtful about them. */
export type MeasureAnswer =
  | { value: number; more?: Record<string, number | number[]>; warnings?: string[] }
  /** [channels, channels] over the channels of A, then those of B; `ofA` is the number of A's channels. */
  | { matrix: Matrix; ofA: number; warnings?: string[] }
  | NoScore;

export interface Measure {
  name: string;
  /** The question that the measure answers, in one sentence. */
  about: string;
  formula: string;
  range: string;
  reference: string;
  /** The measure of a [steps, dimsA] and b [steps, dimsB], whose rows belong to the same step. */
  compute(a: Matrix, b: Matrix, options: MeasureOptions): Promise<MeasureAnswer>;
  /** The measure for many circular shifts of B, if that costs little more than a single one. */
  shifted?: PrepareShifts;
  /** Largest lag that the measure looks at, in steps; surrogates are shifted by more. */
  reach?(steps: number, options: MeasureOptions): number;
}

/** The measure of A and of B circularly shifted: row t of the shifted B is row t − `by` of B. */
export type ShiftedMeasure = (by: number) => MeasureAnswer;

export type PrepareShifts = (
  a: Matrix,
  b: Matrix,
  options: MeasureOptions,
) => Promise<ShiftedMeasure | NoScore>;

/** The measure of the streams as they are. */
export function unshifted(prepare: PrepareShifts): Measure['compute'] {
  return async (a, b, options) => {
    const shifted = await prepare(a, b, options);
    return typeof shifted === 'function' ? shifted(0) : shifted;
  };
}

export interface Streams {
  a: Matrix;
  b: Matrix;
}

/**
 * The two streams if they can be measured, otherwise the reason. All measures are independent of scale, so a
 * stream with very small or large values (tesla, femtovolt) is scaled by a power of two: its digits are kept,
 * and fourth powers neither vanish nor overflow.
 */
export function aligned(a: Matrix, b: Matrix, fewestSteps: number): Streams | NoScore {
  if (a.rows !== b.rows) return { reason: `the streams are not aligned: ${a.rows} and ${b.rows} steps` };
  if (a.rows < fewestSteps) return { reason: `only ${a.rows} steps, at least ${fewestSteps} are needed` };
  if (!isFinite(a) || !isFinite(b)) return { reason: 'a stream holds NaN or infinity' };
  if (isConstant(a) || isConstant(b)) return { reason: 'a stream does not vary' };
  return { a: copyNearOne(a), b: copyNearOne(b) };
}

/**
 * A warning for measures that compare dim c of one stream with dim c of the other, if their numbers of dims
 * differ.
 */
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

/** Scales values in place by the power of two that brings the largest near 1, if they are far from it. */
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

/** Multiplies by 2^exponent exactly; in two steps, since half of the exponents have no double of their own. */
export function scaledBy(values: Float64Array, exponent: number): Float64Array {
  const half = Math.trunc(exponent / 2);
  return values.map((value) => value * 2 ** half * 2 ** (exponent - half));
}

/** Exponent of the power of two at or below the largest absolute value; 0 if all values are 0. */
export function exponentOf(values: Float64Array): number {
  let largest = 0;
  for (let at = 0; at < values.length; at++) largest = Math.max(largest, Math.abs(values[at] as number));
  return largest > 0 ? Math.floor(Math.log2(largest)) : 0;
}

function isConstant(m: Matrix): boolean {
  return m.data.every((value, at) => at < m.cols || value === m.data[at - m.cols]);
}

/** Subtracts the column means; a constant column becomes exactly 0. */
export function centreColumns(m: Matrix): Matrix {
  const { cols } = m;
  // Relative to the first row, since the mean of a constant would round and leave a rounding error.
  const fromFirst = m.data.map((value, at) => value - (m.data[at % cols] as number));
  const means = new Float64Array(cols);
  for (const [at, value] of fromFirst.entries())
    means[at % cols] = (means[at % cols] as number) + value / m.rows;
  return { ...m, data: fromFirst.map((value, at) => value - (means[at % cols] as number)) };
}

/** Pearson's correlation; undefined if one side does not vary. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number | undefined {
  const n = x.length;
  // Relative to the first value, since the mean of a constant would round, and rounding errors correlate
  // perfectly.
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

/** Number of factors that are multiplied before a logarithm is taken; each is 1e-15 at least and 2 at most. */
const RATIOS = 16;
const NEAREST_ONE = 1 - 1e-15;

/**
 * Mean of correlations in Fisher's z, transformed back: tanh(½ Σ ln((1 + r) / (1 − r)) / n); undefined for
 * none.
 */
export function fisherMean(correlations: ArrayLike<number>): number | undefined {
  const means = createFisherMeans(1);
  for (let k = 0; k < correlations.length; k++) means.add([correlations[k] as number]);
  return correlations.length === 0 ? undefined : means.values()[0];
}

/** Several such means side by side. */
export interface FisherMeans {
  /** One correlation of each; NaN for none. */
  add(correlations: ArrayLike<number>): void;
  /** NaN where nothing was added. */
  values(): Float64Array;
}

export function createFisherMeans(places: number): FisherMeans {
  const counts = new Int32Array(places);
  const logs = new Float64Array(places);
  // Products of 1 + r and of 1 − r.
  const above = new Float64Array(places).fill(1);
  const below = new Float64Array(places).fill(1);
  let added = 0;
  const settle = (): void => {
    for (let k = 0; k < places; k++) {
      logs[k] = (logs[k] as number) + Math.log((above[k] as number) / (below[k] as number));
      above[k] = 1;
      below[k] = 1;
    }
  };
  return {
    add: (correlations) => {
      for (let k = 0; k < places; k++) {
        let r = correlations[k] as number;
        // Not so for NaN either.
        if (!(r <= NEAREST_ONE && r >= -NEAREST_ONE)) {
          if (Number.isNaN(r)) continue;
          r = r > 0 ? NEAREST_ONE : -NEAREST_ONE;
        }
        above[k] = (above[k] as number) * (1 + r);
        below[k] = (below[k] as number) * (1 - r);
        counts[k] = (counts[k] as number) + 1;
      }
      added += 1;
      if (added % RATIOS === 0) settle();
    },
    values: () => {
      settle();
      return logs.map((sum, k) => Math.tanh(sum / (2 * (counts[k] as number))));
    },
  };
}
