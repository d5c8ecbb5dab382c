/** Apache Parquet files: every column may hold nulls, texts are UTF-8, integers have 64 bits. */
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Cell } from './csv.ts';
import type { ColumnType, Table } from './table.ts';

const TYPES = {
  text: 'STRING',
  integer: 'INT64',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
} as const satisfies Record<ColumnType, string>;

export function parquetBytes({ columns, rows }: Table): Uint8Array {
  const columnData = columns.map(({ name, type }, at) => ({
    name,
    type: TYPES[type],
    nullable: true,
    data: rows.map((row) => valueOf(row[at], type)),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function valueOf(cell: Cell, type: ColumnType): string | number | bigint | boolean | undefined {
  return type === 'integer' && typeof cell === 'number' ? BigInt(Math.round(cell)) : cell;
}
