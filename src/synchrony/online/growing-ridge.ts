/**
 * Ridge regression in its dual form that grows row by row: the weights v = (K + λI)⁻¹ k with which the targets of earlier rows predict a new
 * one, from a Cholesky factor that takes in one row after the other in O(n²).
 */

export interface GrowingRidge {
  /**
   * @param kernel k(row, earlier row) for every row taken in, then k(row, row): [rows + 1]
   * @returns the weights of the earlier rows [rows]
   */
  weigh(kernel: Float64Array): Float64Array;
  /** Takes the row in that was weighed last. */
  grow(): void;
}

/** @param most rows that it can take in */
export function createGrowingRidge(lambda: number, most: number): GrowingRidge {
  const factor = new Float64Array((most * (most + 1)) / 2);
  let rows = 0;
  let forward = new Float64Array(0);
  let corner = 0;
  return {
    weigh: (kernel) => {
      forward = forwardSolve(factor, kernel.subarray(0, rows));
      const own = kernel[rows] as number;
      corner = Math.sqrt(own + lambda - forward.reduce((sum, value) => sum + value * value, 0));
      return backwardSolve(factor, forward);
    },
    grow: () => {
      const start = triangle(rows);
      factor.set(forward, start);
      factor[start + rows] = corner;
      rows += 1;
    },
  };
}

/** Where row r of a lower triangle begins. */
const triangle = (r: number): number => (r * (r + 1)) / 2;

/** L x = b. */
function forwardSolve(factor: Float64Array, b: Float64Array): Float64Array<ArrayBuffer> {
  const x = new Float64Array(b);
  for (let r = 0; r < x.length; r++) {
    const start = triangle(r);
    let rest = x[r] as number;
    for (let c = 0; c < r; c++) rest -= (factor[start + c] as number) * (x[c] as number);
    x[r] = rest / (factor[start + r] as number);
  }
  return x;
}

/** Lᵀ x = b. */
function backwardSolve(factor: Float64Array, b: Float64Array): Float64Array {
  const x = b.slice();
  for (let r = x.length - 1; r >= 0; r--) {
    const start = triangle(r);
    const value = (x[r] as number) / (factor[start + r] as number);
    x[r] = value;
    for (let c = 0; c < r; c++) x[c] = (x[c] as number) - value * (factor[start + c] as number);
  }
  return x;
}
