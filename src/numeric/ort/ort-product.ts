/** Matrix products by ONNX Runtime, one or several in a call. */
import ort from '../../onnx/runtime.ts';
import { zeros } from '../matrix.ts';
import type { Matrix } from '../linear-algebra.ts';
import { writeMatmulGraph, type MatmulGraph } from './matmul-graph.ts';
import { TOGETHER, type Product, type ProductJob } from './product-into.ts';
import { uninitialized } from './uninitialized.ts';

export interface OrtProduct extends Product {
  release(): Promise<void>;
}

export interface ProductKind {
  graph: Omit<MatmulGraph, 'count'>;
  session: ort.InferenceSession.SessionOptions;
  /** The same product in JavaScript. */
  plain(a: Matrix, b: Matrix): Matrix;
}

/** Below this number of multiplications a call into the runtime costs more than the product. */
const WORTH_A_CALL = 30_000;

export async function openProduct(kind: ProductKind): Promise<OrtProduct> {
  const open = (count: number): Promise<ort.InferenceSession> =>
    ort.InferenceSession.create(writeMatmulGraph({ ...kind.graph, count }), kind.session);
  const [single, several] = [await open(1), await open(TOGETHER)];
  const one = async (a: Matrix, b: Matrix, into?: Float64Array): Promise<Matrix> => {
    if (!isWorthACall(kind, a, b)) return kind.plain(a, b);
    const { rows, cols } = sizeOf(kind, a, b);
    const job = { a, b, into: into ?? uninitialized(rows * cols) };
    await runJobs(single, [job], kind);
    return { rows, cols, data: job.into };
  };
  const all = async (jobs: ProductJob[]): Promise<Matrix[]> => {
    const [large, small] = [[] as ProductJob[], [] as ProductJob[]];
    for (const job of jobs) (isWorthACall(kind, job.a, job.b) ? large : small).push(job);
    for (const { a, b, into } of small) into.set(kind.plain(a, b).data);
    for (let at = 0; at < large.length; at += TOGETHER) {
      const batch = large.slice(at, at + TOGETHER);
      await runJobs(batch.length === 1 ? single : several, batch, kind);
    }
    return jobs.map(({ a, b, into }) => ({ ...sizeOf(kind, a, b), data: into }));
  };
  const release = async (): Promise<void> => {
    for (const session of [single, several]) await session.release();
  };
  return { one, all, release };
}

function sizeOf({ graph }: ProductKind, a: Matrix, b: Matrix): { rows: number; cols: number } {
  return {
    rows: graph.transposed === 'a' ? a.cols : a.rows,
    cols: graph.transposed === 'b' ? b.rows : b.cols,
  };
}

function isWorthACall({ graph }: ProductKind, a: Matrix, b: Matrix): boolean {
  const inner = graph.transposed === 'b' ? b.cols : b.rows;
  return a.data.length * b.data.length >= WORTH_A_CALL * inner;
}

async function runJobs(session: ort.InferenceSession, jobs: ProductJob[], kind: ProductKind): Promise<void> {
  const count = session.outputNames.length;
  const feeds: Record<string, ort.Tensor> = {};
  const fetches: Record<string, ort.OnnxValue | null> = {};
  for (let k = 0; k < count; k++) {
    const { a, b, into } = jobs[k] ?? NOTHING;
    const { elements } = kind.graph;
    const { rows, cols } = sizeOf(kind, a, b);
    feeds[`a${k}`] = tensor(a, elements);
    feeds[`b${k}`] = tensor(b, elements);
    // The runtime writes directly into this memory; its own memory would have to be copied.
    fetches[`c${k}`] = elements === 'float64' ? new ort.Tensor('float64', into, [rows, cols]) : null;
  }
  const results = await session.run(feeds, fetches);
  if (kind.graph.elements === 'float32')
    for (const [k, { into }] of jobs.entries())
      into.set((results[`c${k}`] as ort.Tensor).data as Float32Array);
}

/** Fills the places of a call that has fewer products than its graph. */
const NOTHING: ProductJob = { a: zeros(1, 1), b: zeros(1, 1), into: new Float64Array(1) };

function tensor(m: Matrix, elements: 'float64' | 'float32'): ort.Tensor {
  return elements === 'float64'
    ? new ort.Tensor('float64', m.data, [m.rows, m.cols])
    : new ort.Tensor('float32', Float32Array.from(m.data), [m.rows, m.cols]);
}
