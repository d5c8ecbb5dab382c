/** The matrices that the mathematics works on, and the linear algebra that it is given. */

/** Float64 matrix, row-major [rows, cols]. */
export interface Matrix {
  rows: number;
  cols: number;
  data: Float64Array;
}

/** The linear algebra that a measure is handed: plain TypeScript in tests, ONNX Runtime for real work. */
export interface LinearAlgebra {
  /** a [n, k] · bᵀ with b [m, k] → [n, m]. */
  multiplyTransposed(a: Matrix, b: Matrix): Promise<Matrix>;
  /** a [n, k] · b [k, m] → [n, m]. */
  multiply(a: Matrix, b: Matrix): Promise<Matrix>;
  /** aᵀ · b with a [n, k] and b [n, m] → [k, m]; it may stand in `into`. */
  crossMultiply(a: Matrix, b: Matrix, into?: Float64Array): Promise<Matrix>;
  /** a [n, k] · aᵀ → [n, n], exactly symmetric; it may stand in `into`. */
  gram(a: Matrix, into?: Float64Array): Promise<Matrix>;
  /**
   * ‖Z_test − Cᵀ Z_train‖² for every C [train, test] and Z [train + test, any], test rows last → [weights.length,
   * targets.length].
   */
  squaredErrors(weights: Matrix[], targets: Matrix[]): Promise<Matrix>;
  /** W [n, n], 0 above its diagonal, with W (s + λI) Wᵀ = I, of symmetric positive definite s [n, n]. */
  inverseFactor(s: Matrix, lambda: number): Promise<Matrix>;
  /** (x xᵀ + constant + λI)⁻¹ of x [n, any], `constant` in every entry → [n, n]. */
  invertKernel(x: Matrix, of: KernelRidge): Promise<Matrix>;
  /** Memory for so many values each, whatever stands in it, until `use` settles. */
  lend<T>(lengths: number[], use: (rooms: Float64Array[]) => Promise<T>): Promise<T>;
  /** (s + λI)⁻¹ of symmetric positive definite s [n, n]; it may stand in `into`, which may be where s stood. */
  invertRidge(s: Matrix, lambda: number, into?: Float64Array): Promise<Matrix>;
}

export interface KernelRidge {
  lambda: number;
  constant: number;
  /** [n · n] where the inverse may stand. */
  into?: Float64Array | undefined;
}
