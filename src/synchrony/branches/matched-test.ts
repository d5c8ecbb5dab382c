/**
 * The exact permutation test of matched SyncR². The evidence of a source and a target layer is the cross-term
 * between the prediction from other scenarios and the states themselves, with one fixed penalty:
 *
 *   evidence(π) = Σ over scenarios s ≠ u of ⟨C_s(π), M C_u(π)⟩ = ‖Σ_s D_s(π)‖² − Σ_s ‖D_s(π)‖²
 *   C_s(π) = Z_sᵀ π W_s,   M = (ZᵀZ + λI)⁻¹,   λ = 3 × the mean eigenvalue,   D_s = M^½ C_s
 *
 * The first term takes one product per permutation; of the second the kernels of a scenario's rows are put in order.
 *
 * π permutes the alternatives of each history. If the listener's states are exchangeable within a history given the
 * speaker's, every π is as likely as the identity, whatever the distribution of the states. The evidence of each pair
 * of layers is divided by its standard deviation over the permutations. The statistic is the maximum over the pairs;
 * ties count against the evidence.
 */
import { blockOf, joinColumns, transpose, zeros } from '../../numeric/matrix.ts';
import { dotAt } from '../../numeric/row-product.ts';
import { seededRandom, shuffled } from '../../numeric/random.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { weighEvidence } from '../strict/permutation-test.ts';
import type { Histories } from './histories.ts';

export interface MatchedTest {
  pValue: number;
  /** Largest standardised evidence of any pair of layers; it still grows where the p-value is at its smallest. */
  z: number;
  permutations: number;
  /** p-value of each source layer, corrected for the number of pairs. */
  perLayer: number[];
}

export interface TestInput {
  used: Histories;
  /** Components of each layer [rows in use, k]; columns are orthogonal. */
  sources: readonly Matrix[];
  targets: readonly Matrix[];
  /** For each permutation, which target row replaces each row; the first must be the identity. */
  orders: readonly Int32Array[];
}

const PENALTY = 3;
/** The test uses only the leading components, since the penalty shrinks the others to almost nothing. */
const TESTED_COMPONENTS = 16;

export async function matchedTest(input: TestInput, algebra: LinearAlgebra): Promise<MatchedTest> {
  const { used, sources, targets, orders } = input;
  const z = sources.map((source) => whitened(leading(source)));
  const w = targets.map((target) => leading(target));
  const evidence = await acrossAll({ z, w, orders }, algebra);
  for (const { start, rows } of used.blocks)
    await takeWithin(
      evidence,
      { z: kernelsOf(z, start, rows), w: kernelsOf(w, start, rows), orders, start },
      algebra,
    );
  const weighed = weighEvidence(evidence);
  const perLayer = z.map((_, layer) =>
    Math.min(...weighed.perLayer.slice(layer * w.length, (layer + 1) * w.length)),
  );
  return { pValue: weighed.pValue, z: weighed.highest, permutations: orders.length - 1, perLayer };
}

const leading = (m: Matrix): Matrix =>
  m.cols <= TESTED_COMPONENTS ? m : blockOf(m, { top: 0, left: 0, rows: m.rows, cols: TESTED_COMPONENTS });

/** Z M^½ for orthogonal columns. */
function whitened(m: Matrix): Matrix {
  const squares = new Float64Array(m.cols);
  for (const [at, value] of m.data.entries())
    squares[at % m.cols] = (squares[at % m.cols] as number) + value * value;
  const penalty = (PENALTY * squares.reduce((sum, value) => sum + value, 0)) / Math.max(1, m.cols);
  const factors = squares.map((value) => 1 / Math.sqrt(value + penalty));
  return { ...m, data: m.data.map((value, at) => value * (factors[at % m.cols] as number)) };
}

/** The identity, then `count` random orders of the alternatives of each history. */
export function drawOrders({ blocks, rows }: Histories, count: number, seed: number): Int32Array[] {
  const random = seededRandom(seed, 13);
  const histories = blocks.flatMap((block) => block.histories);
  return Array.from({ length: count + 1 }, (_, draw) => {
    const order = Int32Array.from(rows.keys());
    if (draw === 0) return order;
    for (const { start, alternatives } of histories)
      order.set(shuffled([...order.subarray(start, start + alternatives)], random), start);
    return order;
  });
}

interface Sides {
  /** Per source layer, and per target layer. */
  z: readonly Matrix[];
  w: readonly Matrix[];
  orders: readonly Int32Array[];
}

/** ‖Σ_s D_s(π)‖² of every source layer with every target layer [pairs, orders]: one product per order. */
async function acrossAll({ z, w, orders }: Sides, algebra: LinearAlgebra): Promise<Matrix> {
  const out = zeros(z.length * w.length, orders.length);
  const [left, right] = [transpose(joinColumns([...z])), joinColumns([...w])];
  const ordered = zeros(right.rows, right.cols);
  const widths = { sources: z.map(({ cols }) => cols), targets: w.map(({ cols }) => cols) };
  for (const [draw, order] of orders.entries()) {
    for (const [row, from] of order.entries())
      ordered.data.set(right.data.subarray(from * right.cols, (from + 1) * right.cols), row * right.cols);
    addSquares(out, await algebra.multiply(left, ordered), { widths, draw });
  }
  return out;
}

/** Inner products of the rows of one scenario [rows, rows], per layer. */
function kernelsOf(layers: readonly Matrix[], start: number, rows: number): Matrix[] {
  return layers.map(({ cols, data }) => {
    const out = zeros(rows, rows);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c <= r; c++) {
        const value = dotAt(data, data, { x: (start + r) * cols, y: (start + c) * cols, count: cols });
        out.data[r * rows + c] = value;
        out.data[c * rows + r] = value;
      }
    return out;
  });
}

/** Values of permuted kernels that are in memory at a time. */
const MOST_VALUES = 2 ** 21;

/** Takes away ‖D_s(π)‖² = ⟨Z_s Z_sᵀ, π W_s W_sᵀ πᵀ⟩ of one scenario: its kernels, and one product for many orders. */
async function takeWithin(
  out: Matrix,
  { z, w, orders, start }: Sides & { start: number },
  algebra: LinearAlgebra,
): Promise<void> {
  const rows = z[0]?.rows ?? 0;
  const size = (rows * (rows + 1)) / 2;
  const own = zeros(z.length, size);
  const identity = Int32Array.from({ length: rows }, (_, row) => row);
  // both are symmetric, so what is off the diagonal counts twice
  for (const [layer, kernel] of z.entries())
    halfOf(kernel, { places: identity, times: 2 }, own.data.subarray(layer * size));
  const inChunk = Math.max(1, Math.floor(MOST_VALUES / (w.length * size)));
  for (let first = 0; first < orders.length; first += inChunk) {
    const chunk = orders.slice(first, first + inChunk);
    const other = zeros(chunk.length * w.length, size);
    for (const [at, order] of chunk.entries()) {
      const places = order.subarray(start, start + rows).map((row) => row - start);
      for (const [layer, kernel] of w.entries())
        halfOf(kernel, { places, times: 1 }, other.data.subarray((at * w.length + layer) * size));
    }
    const found = await algebra.multiplyTransposed(own, other);
    for (let source = 0; source < z.length; source++)
      for (let at = 0; at < found.cols; at++) {
        const pair = source * w.length + (at % w.length);
        const place = pair * out.cols + first + Math.floor(at / w.length);
        out.data[place] = (out.data[place] as number) - (found.data[source * found.cols + at] as number);
      }
  }
}

/** Writes the lower half of a kernel whose rows and columns stand in another order, those off the diagonal `times`. */
function halfOf(
  { cols, data }: Matrix,
  order: { places: Int32Array; times: number },
  into: Float64Array,
): void {
  const { places, times } = order;
  let at = 0;
  for (let r = 0; r < places.length; r++) {
    const row = (places[r] as number) * cols;
    for (let c = 0; c < r; c++) into[at++] = times * (data[row + (places[c] as number)] as number);
    into[at++] = data[row + (places[r] as number)] as number;
  }
}

/**
 * Adds the sum of the squares in each block of `m`, one for each source layer with each target layer, to `out`: in the
 * row of that pair of layers, in the column of the draw.
 */
function addSquares(
  out: Matrix,
  m: Matrix,
  { widths, draw }: { widths: { sources: number[]; targets: number[] }; draw: number },
): void {
  let [top, at] = [0, draw];
  for (const height of widths.sources) {
    let left = 0;
    for (const width of widths.targets) {
      let sum = 0;
      for (let r = top; r < top + height; r++)
        for (let c = left, from = r * m.cols + left; c < left + width; c++, from++)
          sum += (m.data[from] as number) ** 2;
      out.data[at] = (out.data[at] as number) + sum;
      left += width;
      at += out.cols;
    }
    top += height;
  }
}
