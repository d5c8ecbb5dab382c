/** `entrain export RUN --format csv|parquet`: the tables of a run, a file each. The recording itself is not read. */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readOutcomes } from '../../process/run-folder/outcomes-file.ts';
import { readTalk } from '../../process/run-folder/read-talk.ts';
import { tableBytes, type TableFormat } from '../../tables/table-bytes.ts';
import { readScores } from '../read-scores.ts';
import { episodeParts } from './episode-parts.ts';
import { scoreTables } from './score-tables.ts';
import { episodesTable, turnsTable } from './talk-tables.ts';

export interface ExportedTable {
  file: string;
  rows: number;
}

/** @throws EntrainError `RUN_INVALID` where the run has no talk, or a line is damaged */
export async function exportTables(
  folder: string,
  { format, out }: { format: TableFormat; out: string },
): Promise<ExportedTable[]> {
  const talk = await readTalk(folder);
  const outcomes = await readOutcomes(folder);
  const hasScores = await access(join(folder, 'scores.jsonl')).then(
    () => true,
    () => false,
  );
  const scores = hasScores ? (await readScores(folder)).lines : [];
  const tables = [
    turnsTable(talk),
    episodesTable(talk, outcomes, episodeParts(scores)),
    ...scoreTables(scores),
  ];
  await mkdir(out, { recursive: true });
  const written: ExportedTable[] = [];
  for (const table of tables) {
    const file = join(out, `${table.name}.${format}`);
    // They hold what was said, as transcript.jsonl does.
    await writeFile(file, await tableBytes(table, format), { mode: 0o600 });
    written.push({ file, rows: table.rows.length });
  }
  return written;
}
