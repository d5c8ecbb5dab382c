/**
 * Passes over four rows at a time give the same as passes over single rows, whatever the number and order of
 * rows.
 */
import { expect, it } from 'vitest';
import { columnMeans, columnSquares, scaleColumns } from '../../../src/numeric/columns.ts';
import { zeros } from '../../../src/numeric/matrix.ts';
import { seededRandom } from '../../../src/numeric/random.ts';

const random = seededRandom(4);
const m = zeros(11, 5);
for (let at = 0; at < m.data.length; at++) m.data[at] = random.normal();
const valueAt = (row: number, col: number): number => m.data[row * m.cols + col] as number;
const columns = [0, 1, 2, 3, 4];

it.each([[[3]], [[10, 2, 0]], [[4, 4, 1, 9]], [[0, 1, 2, 3, 4, 5, 6]], [[10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]])(
  'columnMeans, columnSquares and scaleColumns agree with single-row passes for rows %j',
  (listed) => {
    const rows = Int32Array.from(listed);
    const sumOf = (value: (row: number, col: number) => number): number[] =>
      columns.map((col) => listed.reduce((sum, row) => sum + value(row, col), 0));
    expect([...columnMeans(m, rows)]).toEqual(sumOf(valueAt).map((sum) => sum / rows.length));
    const centre = Float64Array.from(columns, (col) => col / 7);
    const squared = sumOf((row, col) => (valueAt(row, col) - col / 7) * (valueAt(row, col) - col / 7));
    expect([...columnSquares(m, centre, rows)]).toEqual(squared);
    const scaling = { offset: centre, factor: Float64Array.from(columns, (col) => 1 + col) };
    const { data } = scaleColumns(m, scaling, { rows, into: zeros(rows.length, m.cols) });
    expect([...data]).toEqual(
      listed.flatMap((row) => columns.map((col) => (valueAt(row, col) - col / 7) * (1 + col))),
    );
  },
);
