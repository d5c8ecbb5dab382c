/**
 * The fast linear algebra: ONNX Runtime as matrix engine. A call blocks its thread while it runs, so programs call it from a worker thread.
 * float64 wherever the provider has it; WebGPU has not, so there every product is float32 and says so.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { solveSymmetric } from '../synchrony/cholesky.ts';
import { product, productTransposed, zeros } from '../synchrony/matrix.ts';
import type { LinearAlgebra, Matrix } from '../synchrony/types.ts';
import { blockedSolve } from './blocked-solve.ts';
import { writeMatmulGraph, type MatmulGraph } from './matmul-graph.ts';

export interface OrtAlgebraOptions {
  /** Threads of one product; 0: as many as there are cores. */
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
const SMALL_SYSTEM = 160;
/** Rows of a block of a Gram matrix: only blocks on and above the diagonal are computed. */
const GRAM_BLOCK = 256;

export async function createOrtAlgebra(options: OrtAlgebraOptions = {}): Promise<OrtAlgebra> {
  const elements = options.elements ?? (options.provider === 'webgpu' ? 'float32' : 'float64');
  const plain = await openProduct(options, { elements, transposeB: false });
  const transposed = await openProduct(options, { elements, transposeB: true });
  const multiply = (a: Matrix, b: Matrix): Promise<Matrix> =>
    a.rows * a.cols * b.cols < WORTH_A_CALL ? Promise.resolve(product(a, b)) : plain.run(a, b);
  const multiplyTransposed = (a: Matrix, b: Matrix): Promise<Matrix> =>
    a.rows * a.cols * b.rows < WORTH_A_CALL ? Promise.resolve(productTransposed(a, b)) : transposed.run(a, b);
  const products = { multiply, multiplyTransposed, gram: (a: Matrix) => blockedGram(a, multiplyTransposed) };
  return {
    ...products,
    elements,
    solveRidge: async (s, lambda, b) => {
      if (s.rows <= SMALL_SYSTEM) return solveSymmetric(s, lambda, b);
      return (await blockedSolve({ s, lambda, b }, products)) ?? solveSymmetric(s, lambda, b);
    },
    close: async () => {
      await plain.session.release();
      await transposed.session.release();
    },
  };
}

interface Product {
  session: InferenceSession;
  run(a: Matrix, b: Matrix): Promise<Matrix>;
}

async function openProduct(options: OrtAlgebraOptions, graph: MatmulGraph): Promise<Product> {
  const session = await InferenceSession.create(writeMatmulGraph(graph), {
    executionProviders: [options.provider ?? 'cpu'],
    intraOpNumThreads: options.threads ?? 0,
    logSeverityLevel: 3,
    // Threads that spin between products would take the cores from the agents and from the recording.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const run = async (a: Matrix, b: Matrix): Promise<Matrix> => {
    const { c } = await session.run({ a: tensor(a, graph.elements), b: tensor(b, graph.elements) });
    const data = (c as Tensor).data as Float64Array | Float32Array;
    return {
      rows: a.rows,
      cols: graph.transposeB ? b.rows : b.cols,
      data: data instanceof Float64Array ? data : Float64Array.from(data),
    };
  };
  return { session, run };
}

function tensor(m: Matrix, elements: 'float64' | 'float32'): Tensor {
  return elements === 'float64'
    ? new Tensor('float64', m.data, [m.rows, m.cols])
    : new Tensor('float32', Float32Array.from(m.data), [m.rows, m.cols]);
}

/** a · aᵀ: the blocks above the diagonal are computed once and mirrored, tile by tile to stay in the cache. */
async function blockedGram(
  a: Matrix,
  multiplyTransposed: LinearAlgebra['multiplyTransposed'],
): Promise<Matrix> {
  const out = zeros(a.rows, a.rows);
  for (let top = 0; top < a.rows; top += GRAM_BLOCK) {
    const size = Math.min(GRAM_BLOCK, a.rows - top);
    const head = { rows: size, cols: a.cols, data: a.data.subarray(top * a.cols, (top + size) * a.cols) };
    const rest = { rows: a.rows - top, cols: a.cols, data: a.data.subarray(top * a.cols) };
    const block = await multiplyTransposed(head, rest);
    for (let r = 0; r < size; r++) {
      const start = r * block.cols;
      out.data.set(block.data.subarray(start + r, start + block.cols), (top + r) * a.rows + top + r);
    }
  }
  mirrorDown(out);
  return out;
}

const MIRROR_TILE = 32;

/** Copies what is above the diagonal below it. */
function mirrorDown({ rows: n, data }: Matrix): void {
  for (let top = 0; top < n; top += MIRROR_TILE) {
    for (let left = 0; left <= top; left += MIRROR_TILE) {
      const bottom = Math.min(n, top + MIRROR_TILE);
      for (let r = top; r < bottom; r++) {
        const right = Math.min(r, left + MIRROR_TILE);
        for (let c = left; c < right; c++) data[r * n + c] = data[c * n + r] as number;
      }
    }
  }
}
