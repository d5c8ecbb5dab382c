/** The matrix type, and the interface of the linear algebra that the measures are given. */

/** Float64 matrix, row-major [rows, cols]. */
export interface Matrix {
  rows: number;
  cols: number;
  data: Float64Array;
}

/** The linear algebra that a measure is given: plain TypeScript in tests, ONNX Runtime in programs. */
export interface LinearAlgebra {
  /** a [n, k] · bᵀ with b [m, k] → [n, m]. */
  multiplyTransposed(a: Matrix, b: Matrix): Promise<Matrix>;
  /** a [n, k] · b [k, m] → [n, m]. */
  multiply(a: Matrix, b: Matrix): Promise<Matrix>;
  /** aᵀ · b of a [n, k] and b [n, m] → [k, m]; written to `into` if given. */
  crossMultiply(a: Matrix, b: Matrix, into?: Float64Array): Promise<Matrix>;
  /** a · aᵀ of a [n, k] → [n, n], exactly symmetric; written to `into` if given. */
  gram(a: Matrix, into?: Float64Array): Promise<Matrix>;
  /**
   * ‖Z_test − Cᵀ Z_train‖² for every C [train, test] and Z [train + test, any], test rows last → [weights.length,
   * targets.length].
   */
  squaredErrors(weights: Matrix[], targets: Matrix[]): Promise<Matrix>;
  /** Lower triangular W [n, n] with W (s + λI) Wᵀ = I, for symmetric positive definite s [n, n]. */
  inverseFactor(s: Matrix, lambda: number): Promise<Matrix>;
  /** (x xᵀ + constant + λI)⁻¹ [n, n] of x [n, any]; `constant` is added to every entry. */
  invertKernel(x: Matrix, of: KernelRidge): Promise<Matrix>;
  /** Lends buffers of the given lengths, with arbitrary content, until `use` settles. */
  lend<T>(lengths: number[], use: (buffers: Float64Array[]) => Promise<T>): Promise<T>;
  /**
   * (s + λI)⁻¹ of symmetric positive definite s [n, n]; written to `into` if given, which may be the memory of
   * s.
   */
  invertRidge(s: Matrix, lambda: number, into?: Float64Array): Promise<Matrix>;
}

export interface KernelRidge {
  lambda: number;
  constant: number;
  /** Buffer [n · n] for the inverse. */
  into?: Float64Array | undefined;
}
