/** Products of a matrix most of whose values are 0, column by column. */
import type { Matrix } from '../../numeric/linear-algebra.ts';

/** The values of a column that are not 0. */
export interface SparseColumn {
  /** Among the rows in use, ascending. */
  rows: number[];
  values: number[];
}

/** Share of rows with a value up to which a column is sparse. */
const SPARSE = 0.2;

/**
 * The columns of m that vary from 0 in some of these rows: sparse ones as values, of the others the indices.
 *
 * @param used row numbers
 */
export function splitBySparseness(m: Matrix, used: Int32Array): { sparse: SparseColumn[]; dense: number[] } {
  const columns = Array.from({ length: m.cols }, (): SparseColumn => ({ rows: [], values: [] }));
  for (let r = 0; r < used.length; r++) {
    const start = (used[r] as number) * m.cols;
    for (let c = 0; c < m.cols; c++) {
      const value = m.data[start + c] as number;
      if (value === 0) continue;
      (columns[c] as SparseColumn).rows.push(r);
      (columns[c] as SparseColumn).values.push(value);
    }
  }
  const isSparse = ({ rows }: SparseColumn): boolean => rows.length <= SPARSE * used.length;
  const dense = [...columns.keys()].filter((c) => !isSparse(columns[c] as SparseColumn));
  return { sparse: columns.filter((column) => column.rows.length > 0 && isSparse(column)), dense };
}

/** Adds X (Xᵀ m) [n, k] to `out`, for the columns of X [n, any] and m [n, k]. */
export function addSparseProduct(out: Matrix, columns: readonly SparseColumn[], m: Matrix): void {
  const { cols } = m;
  const along = new Float64Array(cols);
  for (const { rows, values } of columns) {
    along.fill(0);
    for (let at = 0; at < rows.length; at++) {
      const [start, value] = [(rows[at] as number) * cols, values[at] as number];
      for (let c = 0; c < cols; c++) along[c] = (along[c] as number) + value * (m.data[start + c] as number);
    }
    for (let at = 0; at < rows.length; at++) {
      const [start, value] = [(rows[at] as number) * cols, values[at] as number];
      for (let c = 0; c < cols; c++)
        out.data[start + c] = (out.data[start + c] as number) + value * (along[c] as number);
    }
  }
}
