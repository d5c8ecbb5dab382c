/** The linear algebra in plain TypeScript: what tests and tiny work use, and what the fast backend is compared with. */
import { invertSymmetric } from './cholesky.ts';
import { crossProduct, innerProduct, product, productTransposed, symmetricProduct } from './matrix.ts';
import type { LinearAlgebra, Matrix } from './types.ts';

export function createPlainAlgebra(): LinearAlgebra {
  return {
    multiplyTransposed: async (a, b) => productTransposed(a, b),
    multiply: async (a, b) => product(a, b),
    crossMultiply: async (a, b) => crossProduct(a, b),
    gram: async (a) => symmetricProduct(a),
    gramProducts: async (a, b) => allProducts(a.map(symmetricProduct), b.map(symmetricProduct)),
    invertRidge: async (s, lambda) => invertSymmetric(s, lambda),
  };
}

function allProducts(a: Matrix[], b: Matrix[]): Matrix {
  const data = Float64Array.from(a.flatMap((left) => b.map((right) => innerProduct(left, right))));
  return { rows: a.length, cols: b.length, data };
}
