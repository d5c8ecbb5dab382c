/**
 * Leading components of text features, which are regressed out of states. No matrix [rows, rows] is made: the kernel
 * K = X Xᵀ of the doubly centred features is only multiplied, and most hashed n-grams are 0 in most prompts.
 */
import { addTo, takeBlock, transpose, zeros } from '../../numeric/matrix.ts';
import { leadingKernelComponents } from '../../numeric/principal-components.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { Blocks } from './blocks.ts';
import { addSparseProduct, splitBySparseness, type SparseColumn } from './sparse-columns.ts';
import { centreBlocks } from './standardise.ts';

const MOST_COMPONENTS = 128;
/** Share of the features' squares below which what centring leaves of them is rounding. */
const ROUNDING = 1e-14;

/**
 * Leading components of the doubly centred features [rows in use, k], each kind scaled to the same energy. Columns
 * within a kind are not standardised, so a rare n-gram weighs less than a common one. No columns if nothing varies.
 *
 * @param texts the kinds of features [n, any]
 */
export async function textComponents(
  texts: readonly Matrix[],
  used: Blocks,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const n = used.rows.length;
  const kinds = texts.flatMap((text) => kindOf(text, used) ?? []);
  const times = async (m: Matrix): Promise<Matrix> => {
    const out = zeros(n, m.rows);
    const columns = transpose(m);
    for (const kind of kinds) addTo(out, await kernelTimes(kind, columns, { used, algebra }));
    return transpose(out);
  };
  return kinds.length === 0
    ? zeros(n, 0)
    : leadingKernelComponents({ n, times }, Math.min(MOST_COMPONENTS, n), algebra);
}

/** One kind of features, split by columns. */
interface Kind {
  /** Σ squares of the doubly centred features. */
  energy: number;
  sparse: SparseColumn[];
  /** The other columns, doubly centred [rows in use, any]. */
  dense: Matrix;
}

/** Undefined if the features do not vary within scenario and turn. */
function kindOf(text: Matrix, used: Blocks): Kind | undefined {
  const energy = centredEnergy(text, used);
  if (!(energy > ROUNDING * squaresOf(text, used))) return undefined;
  const { sparse, dense } = splitBySparseness(text, used.rows);
  return { energy, sparse, dense: centreBlocks(columnsOf(text, dense), used) };
}

/**
 * X Xᵀ m / energy for the doubly centred X. Sparse columns are multiplied as they are, with m and the product
 * centred instead of them.
 */
async function kernelTimes(
  { energy, sparse, dense }: Kind,
  m: Matrix,
  { used: { blocks }, algebra }: { used: Blocks; algebra: LinearAlgebra },
): Promise<Matrix> {
  const all = { rows: Int32Array.from({ length: m.rows }, (_, row) => row), blocks };
  const raw = zeros(m.rows, m.cols);
  addSparseProduct(raw, sparse, centreBlocks(m, all));
  const out = centreBlocks(raw, all);
  if (dense.cols > 0) addTo(out, await algebra.multiply(dense, await algebra.crossMultiply(dense, m)));
  for (let at = 0; at < out.data.length; at++) out.data[at] = (out.data[at] as number) / energy;
  return out;
}

/** So many columns are centred at a time: all of them at once would take as much memory as the features. */
const COLUMNS_AT_ONCE = 512;

function centredEnergy(text: Matrix, used: Blocks): number {
  const all = Array.from({ length: text.cols }, (_, column) => column);
  let sum = 0;
  for (let at = 0; at < text.cols; at += COLUMNS_AT_ONCE) {
    const { data } = centreBlocks(columnsOf(text, all.slice(at, at + COLUMNS_AT_ONCE)), used);
    for (let k = 0; k < data.length; k++) sum += (data[k] as number) ** 2;
  }
  return sum;
}

/** A copy of some columns. */
function columnsOf(m: Matrix, columns: readonly number[]): Matrix {
  const all = Array.from({ length: m.rows }, (_, row) => row);
  return takeBlock(m, [all, columns]);
}

/** Σ squares of the rows in use. */
function squaresOf(m: Matrix, { rows }: Blocks): number {
  let sum = 0;
  for (const row of rows)
    for (let at = row * m.cols; at < (row + 1) * m.cols; at++) sum += (m.data[at] as number) ** 2;
  return sum;
}
