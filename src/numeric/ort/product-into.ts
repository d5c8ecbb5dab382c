import type { Matrix } from '../linear-algebra.ts';

/** A product of two matrices; written to `into` if given, which saves an allocation. */
export type ProductInto = (a: Matrix, b: Matrix, into?: Float64Array) => Promise<Matrix>;

/** Products per call: enough to spread the cost of a call, few enough that unused places cost nothing. */
export const TOGETHER = 8;

export interface ProductJob {
  a: Matrix;
  b: Matrix;
  into: Float64Array;
}

/** One kind of product, singly or in batches. */
export interface Product {
  one: ProductInto;
  /** Many independent products, several of them per call. */
  all(jobs: ProductJob[]): Promise<Matrix[]>;
}

/** The products a · b, aᵀ · b and a · bᵀ. */
export interface Products {
  multiply: Product;
  crossMultiply: Product;
  multiplyTransposed: Product;
}
