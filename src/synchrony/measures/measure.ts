/** What every measure between two aligned streams looks like, and the checks that all of them share. */
import { isFinite } from '../../numeric/matrix.ts';
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

export type MeasureAnswer =
  | { value: number; more?: Record<string, number | number[]> }
  /** Over the channels of A, then those of B: [channels, channels]; `ofA` says how many are A's. */
  | { matrix: Matrix; ofA: number }
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

/** Why two streams cannot be measured, or undefined. */
export function whyNotAligned(a: Matrix, b: Matrix, fewestSteps: number): NoScore | undefined {
  if (a.rows !== b.rows) return { reason: `the streams are not aligned: ${a.rows} and ${b.rows} steps` };
  if (a.rows < fewestSteps) return { reason: `only ${a.rows} steps, at least ${fewestSteps} are needed` };
  if (!isFinite(a) || !isFinite(b)) return { reason: 'a stream holds NaN or infinity' };
  if (isConstant(a) || isConstant(b)) return { reason: 'a stream does not vary' };
  return undefined;
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
  const scale = Math.sqrt(xx * yy);
  return scale > 0 ? Math.max(-1, Math.min(1, xy / scale)) : undefined;
}

/** Column c as an array. */
export function column(m: Matrix, c: number): Float64Array {
  return Float64Array.from({ length: m.rows }, (_, r) => m.data[r * m.cols + c] as number);
}

/** Mean of correlations in Fisher's z, turned back; undefined for none. */
export function fisherMean(correlations: number[]): number | undefined {
  if (correlations.length === 0) return undefined;
  const z = correlations.map((r) => Math.atanh(Math.max(-1 + 1e-15, Math.min(1 - 1e-15, r))));
  return Math.tanh(z.reduce((sum, value) => sum + value, 0) / z.length);
}
