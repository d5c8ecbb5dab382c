/**
 * Reads `scores.jsonl` line by line, and gives each line all of its rows; a line in the file lists only the
 * rows that are new. A last line torn by a kill or a full disk is left out and reported; any other line that is
 * not JSON is an error.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EntrainError } from '../protocol/errors.ts';
import type { RowIds } from '../analyzer/ingest/group-rows.ts';
import { rowsOfLine, type RowLine } from '../analyzer/output/score-log-rows.ts';

/** The fields of a line that say which rows it has. */
export interface ScoreLine extends Partial<Omit<RowLine, 'rows'>> {
  type: string;
  group?: string;
  version?: number;
  base?: number;
  rows?: RowIds | undefined;
}

export interface PublishedScores {
  lines: ScoreLine[];
  /** Whether the file ends in the middle of a line. */
  torn: boolean;
}

/** @throws EntrainError `RUN_INVALID`, with the number of the line */
export async function readScores(folder: string): Promise<PublishedScores> {
  const file = join(folder, 'scores.jsonl');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new EntrainError(
      'RUN_INVALID',
      `The published scores cannot be read (${file}): expected the file that the analyzer writes.`,
      { cause },
    );
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').flatMap((line, at) => (line === '' ? [] : [parseLine(line, file, at + 1)]));
  return { lines, torn: whole.length < text.length };
}

function parseLine(line: string, file: string, number: number): ScoreLine {
  try {
    return JSON.parse(line) as ScoreLine;
  } catch (cause) {
    throw new EntrainError(
      'RUN_INVALID',
      `Line ${number} of ${file} is not JSON: expected one object a line, as the analyzer writes them.`,
      { cause },
    );
  }
}

interface Known {
  version: number;
  base: number | undefined;
  rows: RowIds;
}

/**
 * The lines in order, each with all of its rows; unwanted ones are skipped. `rows` is undefined if the line
 * that it adds to is missing.
 */
export function* withRows(
  lines: readonly ScoreLine[],
  isWanted: (at: number) => boolean = () => true,
): Generator<ScoreLine> {
  const fulls = new Map<string, Known>();
  const points = new Map<string, Known>();
  for (const [at, line] of lines.entries()) {
    const { type, group, version = 0, base } = line;
    if (group === undefined || !['score', 'point', 'beside'].includes(type)) {
      if (isWanted(at)) yield line;
      continue;
    }
    const rows = allRows(line, (type === 'point' ? points : fulls).get(group));
    if (rows && type !== 'beside') (type === 'point' ? points : fulls).set(group, { version, base, rows });
    if (type === 'score') points.delete(group);
    if (isWanted(at)) yield { ...line, rows };
  }
}

function allRows(line: ScoreLine, known: Known | undefined): RowIds | undefined {
  if (line.since === undefined) return line.rows;
  if (!known || known.version !== line.since || (line.type === 'point' && known.base !== line.base))
    return undefined;
  return rowsOfLine({ ...line, rows: line.rows ?? {} }, known.rows);
}
