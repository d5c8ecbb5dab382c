/** The linear algebra in plain TypeScript, for tests and tiny inputs. The fast backend is compared with it. */
import { inverseFactor, invertSymmetric } from './cholesky.ts';
import {
  crossProduct,
  innerProduct,
  product,
  productTransposed,
  rowRange,
  subtractFrom,
  symmetricProduct,
} from './matrix.ts';
import type { LinearAlgebra, Matrix } from './linear-algebra.ts';

export function createPlainAlgebra(): LinearAlgebra {
  return {
    multiplyTransposed: async (a, b) => productTransposed(a, b),
    multiply: async (a, b) => product(a, b),
    crossMultiply: async (a, b) => crossProduct(a, b),
    gram: async (a) => symmetricProduct(a),
    squaredErrors: async (weights, targets) => ({
      rows: weights.length,
      cols: targets.length,
      data: Float64Array.from(weights.flatMap((c) => targets.map((z) => squaredError(c, z)))),
    }),
    lend: (lengths, use) => use(lengths.map((length) => new Float64Array(length))),
    inverseFactor: async (s, lambda) => inverseFactor(s, lambda),
    invertKernel: async (x, { lambda, constant }) => {
      const kernel = symmetricProduct(x);
      return invertSymmetric({ ...kernel, data: kernel.data.map((value) => value + constant) }, lambda);
    },
    invertRidge: async (s, lambda) => invertSymmetric(s, lambda),
  };
}

function squaredError(weights: Matrix, target: Matrix): number {
  const { rows: train } = weights;
  const predicted = crossProduct(weights, rowRange(target, 0, train));
  const errors = subtractFrom(predicted, rowRange(target, train, target.rows));
  return innerProduct(errors, errors);
}
