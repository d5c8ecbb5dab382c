/**
 * CKA over the last steps of two aligned streams, kept up to date: a ring of rows and the Gram matrix of each, of which one row and
 * column change per step, O(window · dims). The alignment itself is O(window²).
 */
import { zeros } from './matrix.ts';
import { rowProduct } from './row-product.ts';
import type { Matrix } from './types.ts';

export interface StepWindow {
  /** One aligned step of both streams: [dimsA], [dimsB]. */
  add(a: ArrayLike<number>, b: ArrayLike<number>): void;
  /** Steps held, at most the window. */
  readonly steps: number;
  /** Undefined with fewer than 3 steps, or where a stream does not vary or is not finite. */
  cka(): number | undefined;
}

export function createStepWindow(window: number): StepWindow {
  const a = ring(window);
  const b = ring(window);
  let steps = 0;
  return {
    add: (x, y) => {
      a.put(steps % window, x);
      b.put(steps % window, y);
      steps += 1;
    },
    get steps() {
      return Math.min(steps, window);
    },
    cka: () => {
      const held = Math.min(steps, window);
      return held < 3 ? undefined : centredAlignment(a.gram, b.gram, held);
    },
  };
}

/** Rows in a ring, and their Gram matrix [window, window]. */
function ring(window: number): { gram: Matrix; put(place: number, row: ArrayLike<number>): void } {
  const gram = zeros(window, window);
  let rows = new Float64Array(0);
  let filled = 0;
  return {
    gram,
    put: (place, row) => {
      if (rows.length === 0) rows = new Float64Array(window * row.length);
      rows.set(row, place * row.length);
      filled = Math.max(filled, place + 1);
      for (let other = 0; other < filled; other++) {
        const product = rowProduct(rows, row.length, { x: place, y: other });
        gram.data[place * window + other] = product;
        gram.data[other * window + place] = product;
      }
    },
  };
}

/**
 * ⟨HKH, HLH⟩ / √(⟨HKH, HKH⟩ ⟨HLH, HLH⟩) without writing the centred matrices down:
 * ⟨HKH, HLH⟩ = ⟨K, L⟩ − 2/n Σ kᵣ lᵣ + (Σ kᵣ)(Σ lᵣ)/n², kᵣ and lᵣ the row sums.
 */
function centredAlignment(k: Matrix, l: Matrix, n: number): number | undefined {
  const rowsK = rowSums(k, n);
  const rowsL = rowSums(l, n);
  const kk = centredProduct(k, k, { x: rowsK, y: rowsK, n });
  const ll = centredProduct(l, l, { x: rowsL, y: rowsL, n });
  const kl = centredProduct(k, l, { x: rowsK, y: rowsL, n });
  // What centring leaves of a constant stream is rounding.
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
    // Both are symmetric: the entries left of the diagonal count twice.
    for (let c = 0; c < r; c++) inner += 2 * (k.data[start + c] as number) * (l.data[start + c] as number);
    inner += (k.data[start + r] as number) * (l.data[start + r] as number);
    along += (x[r] as number) * (y[r] as number);
    totalX += x[r] as number;
    totalY += y[r] as number;
  }
  return inner - (2 * along) / n + (totalX * totalY) / (n * n);
}

const squares = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);
