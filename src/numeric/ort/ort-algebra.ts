/**
 * The fast linear algebra, with ONNX Runtime as matrix engine. A call blocks its thread, so programs call it
 * from a worker thread. Values are float64 where the provider supports it; on WebGPU every product is float32,
 * and `elements` says so.
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
import { createScratchMemory, type ScratchMemory } from './scratch-memory.ts';
import { tiledSquaredErrors } from './squared-errors.ts';
import { tiledSymmetric, type Operands, type TiledOptions } from './tiled-symmetric.ts';
import { upperTiles, type Tile } from './tiles.ts';
import { factorByHalves } from './triangular-inverse.ts';

export interface OrtAlgebraOptions {
  /** Threads of one product; by default the number of cores. */
  threads?: number;
  provider?: 'cpu' | 'webgpu' | 'cuda';
  /** Default: float64, or float32 on WebGPU. */
  elements?: 'float64' | 'float32';
}

export interface OrtAlgebra extends LinearAlgebra {
  readonly elements: 'float64' | 'float32';
  /** Gives the memory that is kept for the next products back to the system. */
  releaseScratch(): void;
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
  const scratch = createScratchMemory();
  return {
    elements,
    multiply: (a, b) => multiply.one(a, b),
    crossMultiply: (a, b, into) => crossMultiply.one(a, b, into),
    multiplyTransposed: (a, b) => multiplyTransposed.one(a, b),
    gram: (a, into) => tiledGram(a, multiplyTransposed, { n: a.rows, scratch, into }),
    squaredErrors: (weights, targets) =>
      tiledSquaredErrors(weights, targets, { multiplyTransposed, scratch }),
    lend: scratch.lend,
    ...inverses(products, scratch),
    releaseScratch: scratch.release,
    close: async () => {
      for (const one of [multiply, crossMultiply, multiplyTransposed]) await one.release();
      scratch.close();
    },
  };
}

function inverses(
  products: Products,
  scratch: ScratchMemory,
): Pick<LinearAlgebra, 'inverseFactor' | 'invertKernel' | 'invertRidge'> {
  return {
    inverseFactor: async (s, lambda) =>
      (await factorByHalves(s, lambda, { products, scratch })) ?? inverseFactor(s, lambda),
    invertKernel: async (x, of) =>
      (await blockedInverse(kernelRidge(x, of, products.multiplyTransposed), products, scratch)) ??
      createPlainAlgebra().invertKernel(x, of),
    invertRidge: async (s, lambda, into) =>
      (await blockedInverse(matrixRidge(s, lambda, into), products, scratch)) ?? invertSymmetric(s, lambda),
  };
}

export const sessionOptions = ({
  provider,
  threads,
}: OrtAlgebraOptions): ort.InferenceSession.SessionOptions => ({
  executionProviders: [provider ?? 'cpu'],
  // The runtime's own default, 0, means one thread on a virtual machine that does not report its cores.
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
