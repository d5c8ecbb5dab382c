/**
 * The fast linear algebra: ONNX Runtime as matrix engine. A call blocks its thread while it runs, so programs call it from a worker thread.
 * float64 wherever the provider has it; WebGPU has not, so there every product is float32 and says so.
 */
import { availableParallelism } from 'node:os';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { invertSymmetric } from '../synchrony/cholesky.ts';
import { crossProduct, product, productTransposed, rowRange } from '../synchrony/matrix.ts';
import type { LinearAlgebra, Matrix } from '../synchrony/types.ts';
import { blockedInverse } from './blocked-inverse.ts';
import { tiledGramProducts } from './gram-products.ts';
import { writeMatmulGraph, type MatmulGraph } from './matmul-graph.ts';
import type { ProductInto } from './product-into.ts';
import { tiledSymmetric } from './tiled-symmetric.ts';
import { upperTiles } from './tiles.ts';
import { unwritten } from './unwritten.ts';

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

/** Below this many multiplications a call into the runtime costs more than the product. */
const WORTH_A_CALL = 30_000;

export async function createOrtAlgebra(options: OrtAlgebraOptions = {}): Promise<OrtAlgebra> {
  const elements = options.elements ?? (options.provider === 'webgpu' ? 'float32' : 'float64');
  const plain = await openProduct(options, { elements });
  const byColumns = await openProduct(options, { elements, transposed: 'a' });
  const byRows = await openProduct(options, { elements, transposed: 'b' });
  const multiply: ProductInto = (a, b, into) =>
    a.rows * a.cols * b.cols < WORTH_A_CALL ? written(product(a, b), into) : plain.run(a, b, into);
  const crossMultiply: ProductInto = (a, b, into) =>
    a.rows * a.cols * b.cols < WORTH_A_CALL ? written(crossProduct(a, b), into) : byColumns.run(a, b, into);
  const multiplyTransposed: ProductInto = (a, b, into) =>
    a.rows * a.cols * b.rows < WORTH_A_CALL ? written(productTransposed(a, b), into) : byRows.run(a, b, into);
  return {
    elements,
    multiply: (a, b) => multiply(a, b),
    crossMultiply: (a, b) => crossMultiply(a, b),
    multiplyTransposed: (a, b) => multiplyTransposed(a, b),
    gram: (a) => tiledGram(a, multiplyTransposed),
    gramProducts: (a, b) => tiledGramProducts(a, b, multiplyTransposed),
    invertRidge: async (s, lambda) =>
      (await blockedInverse(s, lambda, { multiply, crossMultiply })) ?? invertSymmetric(s, lambda),
    close: async () => {
      for (const { session } of [plain, byColumns, byRows]) await session.release();
    },
  };
}

interface Product {
  session: InferenceSession;
  run: ProductInto;
}

async function written(m: Matrix, into?: Float64Array): Promise<Matrix> {
  into?.set(m.data);
  return m;
}

async function openProduct(options: OrtAlgebraOptions, graph: MatmulGraph): Promise<Product> {
  const session = await InferenceSession.create(writeMatmulGraph(graph), {
    executionProviders: [options.provider ?? 'cpu'],
    // The runtime's own count, 0, is 1 on a virtual machine that does not tell it of its cores.
    intraOpNumThreads: options.threads ?? availableParallelism(),
    logSeverityLevel: 3,
    // Threads that spin between products would take the cores from the agents and from the recording.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const run = async (a: Matrix, b: Matrix, into?: Float64Array): Promise<Matrix> => {
    const rows = graph.transposed === 'a' ? a.cols : a.rows;
    const cols = graph.transposed === 'b' ? b.rows : b.cols;
    const feeds = { a: tensor(a, graph.elements), b: tensor(b, graph.elements) };
    if (graph.elements === 'float64') {
      // The runtime writes where it is told to; memory of its own would be copied once more.
      const data = into ?? unwritten(rows * cols);
      await session.run(feeds, { c: new Tensor('float64', data, [rows, cols]) });
      return { rows, cols, data };
    }
    const { c } = await session.run(feeds);
    return written({ rows, cols, data: Float64Array.from((c as Tensor).data as Float32Array) }, into);
  };
  return { session, run };
}

function tensor(m: Matrix, elements: 'float64' | 'float32'): Tensor {
  return elements === 'float64'
    ? new Tensor('float64', m.data, [m.rows, m.cols])
    : new Tensor('float32', Float32Array.from(m.data), [m.rows, m.cols]);
}

/** a · aᵀ */
function tiledGram(a: Matrix, multiplyTransposed: ProductInto): Promise<Matrix> {
  return tiledSymmetric(a.rows, upperTiles(a.rows), ({ top, bottom, left, right }) =>
    multiplyTransposed(rowRange(a, top, bottom), rowRange(a, left, right)),
  );
}
