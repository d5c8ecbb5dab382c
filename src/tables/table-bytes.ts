/** How a table is written: as CSV, or as parquet. */
import { csvText } from './csv.ts';
import type { Table } from './table.ts';

export type TableFormat = 'csv' | 'parquet';

/** The bytes of a file `NAME.csv` or `NAME.parquet`. The library for parquet is loaded when it is asked for. */
export async function tableBytes(table: Table, format: TableFormat): Promise<Uint8Array> {
  if (format === 'csv') {
    const names = table.columns.map(({ name }) => name);
    return new TextEncoder().encode(csvText(names, table.rows));
  }
  const { parquetBytes } = await import('./parquet.ts');
  return parquetBytes(table);
}
