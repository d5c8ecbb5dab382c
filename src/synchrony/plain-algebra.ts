/** The linear algebra in plain TypeScript: what tests and tiny work use, and what the fast backend is compared with. */
import { solveSymmetric } from './cholesky.ts';
import { product, productTransposed, symmetricProduct } from './matrix.ts';
import type { LinearAlgebra } from './types.ts';

export function createPlainAlgebra(): LinearAlgebra {
  return {
    multiplyTransposed: async (a, b) => productTransposed(a, b),
    multiply: async (a, b) => product(a, b),
    gram: async (a) => symmetricProduct(a),
    solveRidge: async (s, lambda, b) => solveSymmetric(s, lambda, b),
  };
}
