/**
 * Two streams dim by dim, for measures that correlate each dim with the same dim of B under many circular
 * shifts. Inner products over whole windows are computed once per offset and kept, so that each shift of a
 * lagged measure costs only its edges.
 */
import { dotAt } from '../../numeric/row-product.ts';
import { transpose } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import { centreColumns, firstColumns, nearOne, type Streams } from './measure.ts';

/**
 * A centred stream, one dim after the other, each scaled by a power of two to a size near 1, with cumulative
 * sums of its values and squares.
 */
export interface DimSeries {
  steps: number;
  dims: number;
  /** [dims, steps] */
  values: Float64Array;
  /** [dims, steps + 1] */
  sums: Float64Array;
  /** [dims, steps + 1] */
  squares: Float64Array;
}

/** Both streams, reduced to the dims that both have. */
export function bothSeries({ a, b }: Streams): [a: DimSeries, b: DimSeries] {
  const dims = Math.min(a.cols, b.cols);
  return [dimSeries(firstColumns(a, dims)), dimSeries(firstColumns(b, dims))];
}

function dimSeries(m: Matrix): DimSeries {
  const { data: values, rows: dims, cols: steps } = transpose(centreColumns(m));
  for (let c = 0; c < dims; c++) nearOne(values.subarray(c * steps, (c + 1) * steps));
  const sums = new Float64Array(dims * (steps + 1));
  const squares = new Float64Array(dims * (steps + 1));
  for (let c = 0; c < dims; c++) {
    const [from, at] = [c * steps, c * (steps + 1)];
    for (let t = 0; t < steps; t++) {
      const value = values[from + t] as number;
      sums[at + t + 1] = (sums[at + t] as number) + value;
      squares[at + t + 1] = (squares[at + t] as number) + value * value;
    }
  }
  return { steps, dims, values, sums, squares };
}

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
  const { steps, dims } = x;
  const out = new Float64Array(dims);
  for (let c = 0; c < dims; c++) {
    const start = c * steps;
    const ahead = { x: start, y: start + offset, count: steps - offset };
    const round = { x: start + steps - offset, y: start, count: offset };
    out[c] = dotAt(x.values, y.values, ahead) + dotAt(x.values, y.values, round);
  }
  return out;
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

export function spreadOf({ dims, steps: all, sums, squares }: DimSeries, stretch: Stretch): Spread {
  const out: Spread = { sums: new Float64Array(dims), scatters: new Float64Array(dims) };
  const end = stretch.from + stretch.steps;
  const [last, wrapped] = [Math.min(end, all), Math.max(0, end - all)];
  for (let c = 0, at = 0; c < dims; c++, at += all + 1) {
    const [from, to, round] = [at + stretch.from, at + last, at + wrapped];
    const sum = (sums[to] as number) - (sums[from] as number) + (sums[round] as number);
    const square = (squares[to] as number) - (squares[from] as number) + (squares[round] as number);
    out.sums[c] = sum;
    out.scatters[c] = square - (sum * sum) / stretch.steps;
  }
  return out;
}
