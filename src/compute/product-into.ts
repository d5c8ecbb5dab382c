import type { Matrix } from '../synchrony/types.ts';

/** A product of two matrices; written to `into` where it is given, which spares clearing and copying as much memory. */
export type ProductInto = (a: Matrix, b: Matrix, into?: Float64Array) => Promise<Matrix>;
