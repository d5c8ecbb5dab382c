/**
 * The last steps of two aligned streams: a ring of rows and the Gram matrix of each, so that CKA can be
 * computed at any time. A batch of new steps costs O(steps · window · dims), CKA itself O(window²).
 */
import { rowRange, zeros } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

export interface StepWindow {
  /** Adds aligned steps of both streams in order of time: [steps, dimsA], [steps, dimsB]. */
  add(a: Matrix, b: Matrix): Promise<void>;
  /** Number of steps held, at most the window. */
  readonly steps: number;
  /**
   * CKA over the steps held; undefined with fewer than 3 steps, or if a stream does not vary or is not finite.
   */
  cka(): number | undefined;
  /** The steps held, oldest first: [steps, dimsA], [steps, dimsB]. */
  rows(): { a: Matrix; b: Matrix };
}

export function createStepWindow(window: number, algebra: LinearAlgebra): StepWindow {
  const a = ring(window, algebra);
  const b = ring(window, algebra);
  return {
    add: async (x, y) => {
      await a.put(x);
      await b.put(y);
    },
    get steps() {
      return a.held();
    },
    cka: () => (a.held() < 3 ? undefined : centredAlignment(a.gram, b.gram, a.held())),
    rows: () => ({ a: a.inOrder(), b: b.inOrder() }),
  };
}

interface Ring {
  /** [window, window], in the order of the ring. */
  gram: Matrix;
  held(): number;
  put(added: Matrix): Promise<void>;
  inOrder(): Matrix;
}

function ring(window: number, algebra: LinearAlgebra): Ring {
  const gram = zeros(window, window);
  let rows = zeros(0, 0);
  let taken = 0;
  const held = (): number => Math.min(taken, window);
  return {
    gram,
    held,
    put: async (added) => {
      if (rows.rows === 0) rows = zeros(window, added.cols);
      const last = lastRows(added, window);
      const places = Array.from({ length: last.rows }, (_, r) => (taken + r) % window);
      for (const [r, place] of places.entries())
        rows.data.set(last.data.subarray(r * last.cols, (r + 1) * last.cols), place * last.cols);
      taken += last.rows;
      writeProducts(gram, places, await algebra.multiplyTransposed(last, rowRange(rows, 0, held())));
    },
    inOrder: () => {
      const out = zeros(held(), rows.cols);
      const oldest = (taken > window ? taken % window : 0) * rows.cols;
      out.data.set(rows.data.subarray(oldest, out.data.length));
      out.data.set(rows.data.subarray(0, oldest), out.data.length - oldest);
      return out;
    },
  };
}

/** Writes products [places, held]: row r belongs to the row at places[r], with every row held. */
function writeProducts(gram: Matrix, places: number[], products: Matrix): void {
  for (const [r, place] of places.entries())
    for (let other = 0; other < products.cols; other++) {
      const product = products.data[r * products.cols + other] as number;
      gram.data[place * gram.cols + other] = product;
      gram.data[other * gram.cols + place] = product;
    }
}

function lastRows(m: Matrix, most: number): Matrix {
  return rowRange(m, Math.max(0, m.rows - most), m.rows);
}

/**
 * ⟨HKH, HLH⟩ / √(⟨HKH, HKH⟩ ⟨HLH, HLH⟩) without the centred matrices: ⟨HKH, HLH⟩ = ⟨K, L⟩ − 2/n Σ kᵣ lᵣ + (Σ
 * kᵣ)(Σ lᵣ)/n², where kᵣ and lᵣ are row sums.
 */
function centredAlignment(k: Matrix, l: Matrix, n: number): number | undefined {
  const rowsK = rowSums(k, n);
  const rowsL = rowSums(l, n);
  const kk = centredProduct(k, k, { x: rowsK, y: rowsK, n });
  const ll = centredProduct(l, l, { x: rowsL, y: rowsL, n });
  const kl = centredProduct(k, l, { x: rowsK, y: rowsL, n });
  // Below this, a centred stream is the rounding error of a constant one.
  const smallest = 1e-20;
  const varies = kk > smallest * squares(rowsK) && ll > smallest * squares(rowsL);
  const value = kl / Math.sqrt(kk * ll);
  return varies && Number.isFinite(value) ? value : undefined;
}

function rowSums(m: Matrix, n: number): Float64Array {
  const sums = new Float64Array(n);
  for (let r = 0; r < n; r++) {
    let sum = 0;
    for (let c = 0; c < n; c++) sum += m.data[r * m.cols + c] as number;
    sums[r] = sum;
  }
  return sums;
}

function centredProduct(k: Matrix, l: Matrix, sums: { x: Float64Array; y: Float64Array; n: number }): number {
  const { x, y, n } = sums;
  let inner = 0;
  let along = 0;
  let totalX = 0;
  let totalY = 0;
  for (let r = 0; r < n; r++) {
    const start = r * k.cols;
    // Both are symmetric, so the entries left of the diagonal count twice.
    for (let c = 0; c < r; c++) inner += 2 * (k.data[start + c] as number) * (l.data[start + c] as number);
    inner += (k.data[start + r] as number) * (l.data[start + r] as number);
    along += (x[r] as number) * (y[r] as number);
    totalX += x[r] as number;
    totalY += y[r] as number;
  }
  return inner - (2 * along) / n + (totalX * totalY) / (n * n);
}

const squares = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);
