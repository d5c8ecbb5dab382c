/**
 * Two streams for measures that correlate each dim with the same dim of B under many circular shifts. The steps of a
 * dim lie side by side, twice in a row, so that every loop over a stretch runs along memory wherever it begins. Inner
 * products over whole windows are computed once per offset, a few offsets in one pass, and kept.
 */
import type { Matrix } from '../../numeric/linear-algebra.ts';
import { firstColumns, nearOne, type Streams } from './measure.ts';

/** A centred stream, each dim scaled by a power of two to a size near 1. */
export interface DimSeries {
  steps: number;
  dims: number;
  /** From one dim to the next: twice the steps, and room for a pass over several offsets. */
  width: number;
  /** [dims, width]: the value of step t at t and at t + steps. */
  values: Float64Array;
  /** Σ x and Σ x² of each dim. */
  sums: Float64Array;
  squares: Float64Array;
}

/** Offsets whose products are computed in one pass. */
const OFFSETS = 4;
/** Columns that are read together, since a row's values lie side by side. */
const COLUMNS = 8;

/** Both streams, reduced to the dims that both have. */
export function bothSeries({ a, b }: Streams): [a: DimSeries, b: DimSeries] {
  const dims = Math.min(a.cols, b.cols);
  return [dimSeries(firstColumns(a, dims)), dimSeries(firstColumns(b, dims))];
}

function dimSeries({ data, rows: steps, cols: dims }: Matrix): DimSeries {
  const width = 2 * steps + OFFSETS;
  const values = new Float64Array(dims * width);
  for (let first = 0; first < dims; first += COLUMNS) {
    const end = Math.min(dims, first + COLUMNS);
    for (let t = 0; t < steps; t++)
      for (let c = first; c < end; c++) values[c * width + t] = data[t * dims + c] as number;
  }
  const [sums, squares] = [new Float64Array(dims), new Float64Array(dims)];
  for (let c = 0; c < dims; c++) {
    const own = values.subarray(c * width, c * width + steps);
    centre(own);
    nearOne(own);
    values.copyWithin(c * width + steps, c * width, c * width + steps);
    for (let t = 0; t < steps; t++) {
      const value = own[t] as number;
      sums[c] = (sums[c] as number) + value;
      squares[c] = (squares[c] as number) + value * value;
    }
  }
  return { steps, dims, width, values, sums, squares };
}

/** Subtracts the mean; relative to the first value, so that a constant becomes exactly 0. */
function centre(values: Float64Array): void {
  const first = values[0] as number;
  let mean = 0;
  for (let t = 0; t < values.length; t++) {
    values[t] = (values[t] as number) - first;
    mean += (values[t] as number) / values.length;
  }
  for (let t = 0; t < values.length; t++) values[t] = (values[t] as number) - mean;
}

/** Σ over all steps of x[t] · y[t + offset], circularly → [dims]. */
export type CircularProducts = (offset: number) => Float64Array;

export function circularProducts(x: DimSeries, y: DimSeries): CircularProducts {
  const known = new Map<number, Float64Array[]>();
  return (offset) => {
    const place = ((offset % x.steps) + x.steps) % x.steps;
    const first = place - (place % OFFSETS);
    const found = known.get(first) ?? productsFrom(x, y, first);
    known.set(first, found);
    return found[place - first] as Float64Array;
  };
}

/** At `OFFSETS` offsets from the first one on: each value is read once for all of them. */
function productsFrom(x: DimSeries, y: DimSeries, first: number): Float64Array[] {
  const { steps, dims, width, values } = x;
  const other = y.values;
  const out = Array.from({ length: OFFSETS }, () => new Float64Array(dims)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let c = 0; c < dims; c++) {
    let a = 0;
    let b = 0;
    let d = 0;
    let e = 0;
    const start = c * width;
    for (let at = start, meets = start + first; at < start + steps; at++, meets++) {
      const value = values[at] as number;
      a += value * (other[meets] as number);
      b += value * (other[meets + 1] as number);
      d += value * (other[meets + 2] as number);
      e += value * (other[meets + 3] as number);
    }
    out[0][c] = a;
    out[1][c] = b;
    out[2][c] = d;
    out[3][c] = e;
  }
  return out;
}

/** By lag, from −reach to reach: of the steps of A that have a partner at that lag. */
export interface Overlaps {
  /** Σ x[t] · y[t + offset] */
  products: Float64Array;
  /** Σ y and Σ y² of the partners. */
  sums: Float64Array;
  squares: Float64Array;
}

export function emptyOverlaps(reach: number): Overlaps {
  const values = (): Float64Array => new Float64Array(2 * reach + 1);
  return { products: values(), sums: values(), squares: values() };
}

/**
 * Those of one dim, where step t of A meets step t + offset of B: sums over the whole circle, from which each lag takes
 * one step more. At a positive lag A's last steps have no partner, at a negative one its first.
 * @param whole the product over the whole circle
 */
export function overlapsOf(
  { x, y }: { x: DimSeries; y: DimSeries },
  { c, offset, whole }: { c: number; offset: number; whole: number },
  { products, sums, squares }: Overlaps,
): void {
  const reach = (products.length - 1) / 2;
  const own = x.values;
  const other = y.values;
  const start = c * x.width;
  for (let sign = 1; sign >= -1; sign -= 2) {
    let product = whole;
    let sum = y.sums[c] as number;
    let square = y.squares[c] as number;
    products[reach] = product;
    sums[reach] = sum;
    squares[reach] = square;
    for (let lag = 1; lag <= reach; lag++) {
      const t = start + (sign > 0 ? x.steps - lag : lag - 1);
      const value = other[t + offset] as number;
      product -= (own[t] as number) * value;
      sum -= value;
      square -= value * value;
      const at = reach + sign * lag;
      products[at] = product;
      sums[at] = sum;
      squares[at] = square;
    }
  }
}
