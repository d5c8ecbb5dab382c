/** A table: columns with a type each, and rows made of records. */
import type { Cell } from './csv.ts';

export type ColumnType = 'text' | 'integer' | 'number' | 'boolean';

export interface Table {
  name: string;
  /** In order. */
  columns: readonly { name: string; type: ColumnType }[];
  /** A row has a cell for each column; undefined if there is none. */
  rows: readonly (readonly Cell[])[];
}

/** A column of records: its name, its type, and the cell of a record. */
export type Column<T> = readonly [name: string, type: ColumnType, cell: (record: T) => Cell];

export function tableOf<T>(name: string, records: readonly T[], columns: readonly Column<T>[]): Table {
  return {
    name,
    columns: columns.map(([column, type]) => ({ name: column, type })),
    rows: records.map((record) => columns.map(([, , cell]) => cell(record))),
  };
}
