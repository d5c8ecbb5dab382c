/** Leading components of text features, which are regressed out of states. */
import { addTo, zeros } from '../../numeric/matrix.ts';
import { leadingComponents } from '../../numeric/principal-components.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { Blocks } from './blocks.ts';
import { centreBlocks } from './standardise.ts';

const MOST_COMPONENTS = 128;

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
    if (!(energy > 0)) continue;
    varies = true;
    for (let at = 0; at < own.data.length; at++) own.data[at] = (own.data[at] as number) / energy;
    addTo(kernel, own);
  }
  return varies ? leadingComponents(kernel, Math.min(MOST_COMPONENTS, n), algebra) : zeros(n, 0);
}

/** So many columns are centred at a time: all of them in float64 would take more memory than the kernel. */
const COLUMNS_AT_ONCE = 512;

/** X Xᵀ [rows in use, rows in use] of the doubly centred features. */
async function centredKernel(text: Matrix, used: Blocks, algebra: LinearAlgebra): Promise<Matrix> {
  const n = used.rows.length;
  const kernel = zeros(n, n);
  for (let left = 0; left < text.cols; left += COLUMNS_AT_ONCE) {
    const part = columnRange(text, left, Math.min(text.cols, left + COLUMNS_AT_ONCE));
    addTo(kernel, await algebra.gram(centreBlocks(part, used)));
  }
  return kernel;
}

/** A copy of the columns from `left` up to `right`, which is excluded. */
function columnRange(m: Matrix, left: number, right: number): Matrix {
  const out = zeros(m.rows, right - left);
  for (let r = 0; r < m.rows; r++)
    out.data.set(m.data.subarray(r * m.cols + left, r * m.cols + right), r * out.cols);
  return out;
}

function traceOf({ rows, cols, data }: Matrix): number {
  let sum = 0;
  for (let r = 0; r < rows; r++) sum += data[r * cols + r] as number;
  return sum;
}
