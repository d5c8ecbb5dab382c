import type { Matrix } from '../linear-algebra.ts';

/** A product of two matrices; it may stand in `into`, which spares as much new memory. */
export type ProductInto = (a: Matrix, b: Matrix, into?: Float64Array) => Promise<Matrix>;

/** Products to a call: enough to spread its cost, few enough that the places left empty cost nothing. */
export const TOGETHER = 8;

export interface ProductJob {
  a: Matrix;
  b: Matrix;
  into: Float64Array;
}

/** One kind of product. */
export interface Product {
  one: ProductInto;
  /** Many that do not wait for each other: one call for several of them. */
  all(jobs: ProductJob[]): Promise<Matrix[]>;
}

/** a · b, aᵀ · b and a · bᵀ. */
export interface Products {
  multiply: Product;
  crossMultiply: Product;
  multiplyTransposed: Product;
}
