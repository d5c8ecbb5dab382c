/**
 * The exact permutation test of matched SyncR². The evidence of a source and a target layer is the cross-term
 * between the prediction from other scenarios and the states themselves, with one fixed penalty:
 *
 *   evidence(π) = Σ over scenarios s ≠ u of ⟨C_s(π), M C_u(π)⟩ = ‖Σ_s D_s(π)‖² − Σ_s ‖D_s(π)‖²
 *   C_s(π) = Z_sᵀ π W_s,   M = (ZᵀZ + λI)⁻¹,   λ = 3 × the mean eigenvalue,   D_s = M^½ C_s
 *
 * π permutes the alternatives of each history. If the listener's states are exchangeable within a history given the
 * speaker's, every π is as likely as the identity, whatever the distribution of the states. The evidence of each pair
 * of layers is divided by its standard deviation over the permutations. The statistic is the maximum over the pairs;
 * ties count against the evidence.
 */
import { blockOf, joinColumns, transpose, zeros } from '../../numeric/matrix.ts';
import { seededRandom, shuffled } from '../../numeric/random.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { weighEvidence } from '../strict/permutation-test.ts';
import type { Histories, HistoryBlock } from './histories.ts';

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
  const sides = { z: transpose(joinColumns(z)), w: joinColumns(w) };
  const widths = { sources: z.map(({ cols }) => cols), targets: w.map(({ cols }) => cols) };
  const evidence = zeros(z.length * w.length, orders.length);
  for (const [draw, order] of orders.entries()) {
    const found = await crossTerms(sides, { used, widths, order }, algebra);
    for (const [pair, value] of found.entries()) evidence.data[pair * orders.length + draw] = value;
  }
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

interface Draw {
  used: Histories;
  widths: { sources: number[]; targets: number[] };
  order: Int32Array;
}

/** Cross-terms of every source layer with every target layer. */
async function crossTerms(
  { z, w }: { z: Matrix; w: Matrix },
  { used, widths, order }: Draw,
  algebra: LinearAlgebra,
): Promise<Float64Array> {
  const out = new Float64Array(widths.sources.length * widths.targets.length);
  const sum = zeros(z.rows, w.cols);
  for (const block of used.blocks) {
    const rows = await algebra.multiply(columnsOf(z, block), orderedRows(w, block, order));
    addSquares(out, rows, { widths, sign: -1 });
    for (let at = 0; at < sum.data.length; at++)
      sum.data[at] = (sum.data[at] as number) + (rows.data[at] as number);
  }
  addSquares(out, sum, { widths, sign: 1 });
  return out;
}

const columnsOf = (m: Matrix, { start, rows }: HistoryBlock): Matrix =>
  blockOf(m, { top: 0, left: start, rows: m.rows, cols: rows });

function orderedRows(m: Matrix, { start, rows }: HistoryBlock, order: Int32Array): Matrix {
  const out = zeros(rows, m.cols);
  for (let r = 0; r < rows; r++) {
    const from = (order[start + r] as number) * m.cols;
    out.data.set(m.data.subarray(from, from + m.cols), r * m.cols);
  }
  return out;
}

/** Adds ± the squares of the block of each pair of layers. */
function addSquares(
  out: Float64Array,
  m: Matrix,
  { widths, sign }: { widths: Draw['widths']; sign: 1 | -1 },
): void {
  let [top, at] = [0, 0];
  for (const height of widths.sources) {
    let left = 0;
    for (const width of widths.targets) {
      let sum = 0;
      for (let r = top; r < top + height; r++)
        for (let c = left, from = r * m.cols + left; c < left + width; c++, from++)
          sum += (m.data[from] as number) ** 2;
      out[at] = (out[at] as number) + sign * sum;
      left += width;
      at += 1;
    }
    top += height;
  }
}
