/**
 * The fast linear algebra: ONNX Runtime as matrix engine. A call blocks its thread while it runs, so programs call it from a worker thread.
 * float64 wherever the provider has it; WebGPU has not, so there every product is float32 and says so.
 */
import { availableParallelism } from 'node:os';
import type ort from '../../onnx/runtime.ts';
import { inverseFactor, invertSymmetric } from '../cholesky.ts';
import { crossProduct, product, productTransposed, rowRange } from '../matrix.ts';
import { createPlainAlgebra } from '../plain-algebra.ts';
import type { LinearAlgebra, Matrix } from '../linear-algebra.ts';
import { blockedInverse, kernelRidge, matrixRidge } from './blocked-inverse.ts';
import { openProduct } from './ort-product.ts';
import type { Product, Products } from './product-into.ts';
import { createRooms, type Rooms } from './scratch-memory.ts';
import { tiledSquaredErrors } from './squared-errors.ts';
import { tiledSymmetric, type Operands, type TiledOptions } from './tiled-symmetric.ts';
import { upperTiles, type Tile } from './tiles.ts';
import { factorByHalves } from './triangular-inverse.ts';

export interface OrtAlgebraOptions {
  /** Threads of one product; left out: as many as there are cores. */
  threads?: number;
  provider?: 'cpu' | 'webgpu' | 'cuda';
  /** Left out: float64, or float32 on WebGPU. */
  elements?: 'float64' | 'float32';
}

export interface OrtAlgebra extends LinearAlgebra {
  readonly elements: 'float64' | 'float32';
  close(): Promise<void>;
}

export async function createOrtAlgebra(options: OrtAlgebraOptions = {}): Promise<OrtAlgebra> {
  const elements = options.elements ?? (options.provider === 'webgpu' ? 'float32' : 'float64');
  const session = sessionOptions(options);
  const multiply = await openProduct({ graph: { elements }, session, plain: product });
  const crossMultiply = await openProduct({
    graph: { elements, transposed: 'a' },
    session,
    plain: crossProduct,
  });
  const multiplyTransposed = await openProduct({
    graph: { elements, transposed: 'b' },
    session,
    plain: productTransposed,
  });
  const products: Products = { multiply, crossMultiply, multiplyTransposed };
  const rooms = createRooms();
  return {
    elements,
    multiply: (a, b) => multiply.one(a, b),
    crossMultiply: (a, b, into) => crossMultiply.one(a, b, into),
    multiplyTransposed: (a, b) => multiplyTransposed.one(a, b),
    gram: (a, into) => tiledGram(a, multiplyTransposed, { n: a.rows, rooms, into }),
    squaredErrors: (weights, targets) => tiledSquaredErrors(weights, targets, { multiplyTransposed, rooms }),
    lend: rooms.lend,
    ...inverses(products, rooms),
    close: async () => {
      for (const one of [multiply, crossMultiply, multiplyTransposed]) await one.release();
      rooms.close();
    },
  };
}

function inverses(
  products: Products,
  rooms: Rooms,
): Pick<LinearAlgebra, 'inverseFactor' | 'invertKernel' | 'invertRidge'> {
  return {
    inverseFactor: async (s, lambda) =>
      (await factorByHalves(s, lambda, { products, rooms })) ?? inverseFactor(s, lambda),
    invertKernel: async (x, of) =>
      (await blockedInverse(kernelRidge(x, of, products.multiplyTransposed), products, rooms)) ??
      createPlainAlgebra().invertKernel(x, of),
    invertRidge: async (s, lambda, into) =>
      (await blockedInverse(matrixRidge(s, lambda, into), products, rooms)) ?? invertSymmetric(s, lambda),
  };
}

export const sessionOptions = ({
  provider,
  threads,
}: OrtAlgebraOptions): ort.InferenceSession.SessionOptions => ({
  executionProviders: [provider ?? 'cpu'],
  // The runtime's own count, 0, is 1 on a virtual machine that does not tell it of its cores.
  intraOpNumThreads: threads ?? availableParallelism(),
  logSeverityLevel: 3,
  // Threads that spin between products would take the cores from the agents and from the recording.
  extra: { session: { intra_op: { allow_spinning: '0' } } },
});

/** a · aᵀ */
function tiledGram(a: Matrix, { all }: Product, options: TiledOptions): Promise<Matrix> {
  const operands = ({ top, bottom, left, right }: Tile): Operands => ({
    a: rowRange(a, top, bottom),
    b: rowRange(a, left, right),
  });
  return tiledSymmetric(upperTiles(a.rows), { operands, all }, options);
}
