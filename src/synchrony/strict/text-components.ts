/** Leading components of text features, which are regressed out of states. */
import { addTo, takeBlock, transpose, zeros } from '../../numeric/matrix.ts';
import { leadingComponents } from '../../numeric/principal-components.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { Blocks } from './blocks.ts';
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
  const kernel = zeros(n, n);
  let varies = false;
  for (const text of texts) {
    const own = await centredKernel(text, used, algebra);
    const energy = traceOf(own);
    if (!(energy > ROUNDING * squaresOf(text, used))) continue;
    varies = true;
    for (let at = 0; at < own.data.length; at++) own.data[at] = (own.data[at] as number) / energy;
    addTo(kernel, own);
  }
  return varies ? leadingComponents(kernel, Math.min(MOST_COMPONENTS, n), algebra) : zeros(n, 0);
}

/** Share of rows with a value up to which a column goes into the kernel value by value. */
const SPARSE = 0.2;

/**
 * X Xᵀ [rows in use, rows in use] of the doubly centred features. Most hashed n-grams are 0 in most prompts; such
 * columns are multiplied value by value and the product is centred instead of them.
 */
async function centredKernel(text: Matrix, used: Blocks, algebra: LinearAlgebra): Promise<Matrix> {
  const { sparse, dense } = splitBySparseness(text, used);
  const kernel = centreBoth(sparseKernel(sparse, used.rows.length), used);
  for (let at = 0; at < dense.length; at += COLUMNS_AT_ONCE) {
    const part = columnsOf(text, dense.slice(at, at + COLUMNS_AT_ONCE));
    addTo(kernel, await algebra.gram(centreBlocks(part, used)));
  }
  return kernel;
}

/** So many columns are centred at a time: all of them in float64 would take more memory than the kernel. */
const COLUMNS_AT_ONCE = 512;

/** The values of a column that are not 0. */
interface SparseColumn {
  /** Among the rows in use, ascending. */
  rows: number[];
  values: number[];
}

function splitBySparseness(
  text: Matrix,
  { rows }: Pick<Blocks, 'rows'>,
): { sparse: SparseColumn[]; dense: number[] } {
  const columns = Array.from({ length: text.cols }, (): SparseColumn => ({ rows: [], values: [] }));
  for (let r = 0; r < rows.length; r++) {
    const start = (rows[r] as number) * text.cols;
    for (let c = 0; c < text.cols; c++) {
      const value = text.data[start + c] as number;
      if (value === 0) continue;
      (columns[c] as SparseColumn).rows.push(r);
      (columns[c] as SparseColumn).values.push(value);
    }
  }
  const isSparse = (column: SparseColumn): boolean => column.rows.length <= SPARSE * rows.length;
  const dense = [...columns.keys()].filter((c) => !isSparse(columns[c] as SparseColumn));
  return { sparse: columns.filter(isSparse), dense };
}

function sparseKernel(columns: readonly SparseColumn[], n: number): Matrix {
  const out = zeros(n, n);
  const { data } = out;
  for (const { rows, values } of columns)
    for (let i = 0; i < rows.length; i++) {
      const [start, value] = [(rows[i] as number) * n, values[i] as number];
      for (let j = i; j < rows.length; j++) {
        const at = start + (rows[j] as number);
        data[at] = (data[at] as number) + value * (values[j] as number);
      }
    }
  for (let r = 0; r < n; r++) for (let c = 0; c < r; c++) data[r * n + c] = data[c * n + r] as number;
  return out;
}

/** Centres the rows and the columns of a kernel, as its features would be. */
function centreBoth(kernel: Matrix, { blocks }: Pick<Blocks, 'blocks'>): Matrix {
  const all = { rows: Int32Array.from({ length: kernel.rows }, (_, row) => row), blocks };
  return centreBlocks(transpose(centreBlocks(kernel, all)), all);
}

/** A copy of some columns. */
function columnsOf(m: Matrix, columns: readonly number[]): Matrix {
  const all = Array.from({ length: m.rows }, (_, row) => row);
  return takeBlock(m, [all, columns]);
}

function traceOf({ rows, cols, data }: Matrix): number {
  let sum = 0;
  for (let r = 0; r < rows; r++) sum += data[r * cols + r] as number;
  return sum;
}

/** Σ squares of the rows in use. */
function squaresOf(m: Matrix, { rows }: Blocks): number {
  let sum = 0;
  for (const row of rows)
    for (let at = row * m.cols; at < (row + 1) * m.cols; at++) sum += (m.data[at] as number) ** 2;
  return sum;
}
