/**
 * Two streams for measures that correlate each dim with the same dim of B under many circular shifts. Everything is
 * kept step by step, all dims of a step side by side, so that every loop runs along memory. Inner products over whole
 * windows are computed once per offset and kept, so that each shift of a lagged measure costs only its edges.
 */
import type { Matrix } from '../../numeric/linear-algebra.ts';
import { centreColumns, firstColumns, nearOne, type Streams } from './measure.ts';

/**
 * A centred stream, each dim scaled by a power of two to a size near 1, with cumulative sums of its values and squares.
 */
export interface DimSeries {
  steps: number;
  dims: number;
  /** [steps, dims] */
  values: Float64Array;
  /** [steps + 1, dims] */
  sums: Float64Array;
  /** [steps + 1, dims] */
  squares: Float64Array;
}

/** Both streams, reduced to the dims that both have. */
export function bothSeries({ a, b }: Streams): [a: DimSeries, b: DimSeries] {
  const dims = Math.min(a.cols, b.cols);
  return [dimSeries(firstColumns(a, dims)), dimSeries(firstColumns(b, dims))];
}

function dimSeries(m: Matrix): DimSeries {
  const { data: values, rows: steps, cols: dims } = centreColumns(m);
  for (let c = 0; c < dims; c++) scaleColumn(values, { c, dims, steps });
  const sums = new Float64Array(dims * (steps + 1));
  const squares = new Float64Array(dims * (steps + 1));
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    sums[at + dims] = (sums[at] as number) + value;
    squares[at + dims] = (squares[at] as number) + value * value;
  }
  return { steps, dims, values, sums, squares };
}

function scaleColumn(
  values: Float64Array,
  { c, dims, steps }: { c: number; dims: number; steps: number },
): void {
  const column = Float64Array.from({ length: steps }, (_, t) => values[t * dims + c] as number);
  nearOne(column);
  for (let t = 0; t < steps; t++) values[t * dims + c] = column[t] as number;
}

/** Σ x² of each dim, a view. */
export const wholeSquares = ({ steps, dims, squares }: DimSeries): Float64Array =>
  squares.subarray(steps * dims);

/** Σ over all steps of x[t] · y[t + offset], circularly → [dims]. */
export type CircularProducts = (offset: number) => Float64Array;

export function circularProducts(x: DimSeries, y: DimSeries): CircularProducts {
  const known = new Map<number, Float64Array>();
  return (offset) => {
    const place = ((offset % x.steps) + x.steps) % x.steps;
    const found = known.get(place) ?? productsAt(x, y, place);
    known.set(place, found);
    return found;
  };
}

function productsAt(x: DimSeries, y: DimSeries, offset: number): Float64Array {
  const out = new Float64Array(x.dims);
  for (let t = 0; t < x.steps; t++) addProduct(out, 1, { x, y, t, offset });
  return out;
}

/** Adds `sign` · x[t] · y[t + offset] of every dim. */
export function addProduct(
  out: Float64Array,
  sign: 1 | -1,
  { x, y, t, offset }: { x: DimSeries; y: DimSeries; t: number; offset: number },
): void {
  const { steps, dims, values } = x;
  const other = y.values;
  for (let c = 0, at = t * dims, meets = ((t + offset) % steps) * dims; c < dims; c++, at++, meets++)
    out[c] = (out[c] as number) + sign * (values[at] as number) * (other[meets] as number);
}

/** A range of steps, circularly. */
export interface Stretch {
  from: number;
  steps: number;
}

/** For each dim over a range: Σ x and Σ (x − mean)². */
export interface Spread {
  sums: Float64Array;
  scatters: Float64Array;
}

/** @param out buffers [dims] that are used again */
export function spreadOf(
  { dims, steps: all, sums, squares }: DimSeries,
  stretch: Stretch,
  out: Spread,
): Spread {
  const end = stretch.from + stretch.steps;
  let [from, to, round] = [stretch.from * dims, Math.min(end, all) * dims, Math.max(0, end - all) * dims];
  for (let c = 0; c < dims; c++, from++, to++, round++) {
    const sum = (sums[to] as number) - (sums[from] as number) + (sums[round] as number);
    const square = (squares[to] as number) - (squares[from] as number) + (squares[round] as number);
    out.sums[c] = sum;
    out.scatters[c] = square - (sum * sum) / stretch.steps;
  }
  return out;
}

export const emptySpread = ({ dims }: Pick<DimSeries, 'dims'>): Spread => ({
  sums: new Float64Array(dims),
  scatters: new Float64Array(dims),
});
