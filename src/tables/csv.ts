/** Comma-separated values (RFC 4180): fields in double quotes where they hold a comma, a quote or a line break. */
import { EntrainError } from '../protocol/errors.ts';

/** A cell; undefined if there is none. */
export type Cell = string | number | boolean | undefined;

/**
 * Lines end in CR LF, as the format wants; a cell that is not there is empty. Text that a spreadsheet would take for a
 * formula has an apostrophe before it, which the spreadsheet does not show: agents say what they like.
 */
export function csvText(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [columns, ...rows].map((row) => `${row.map(fieldOf).join(',')}\r\n`).join('');
}

/** What begins like a formula and is no number. */
const FORMULA = /^[=@\t\r]|^[+-](?![\d.]+(?:e[+-]?\d+)?$)/i;

function fieldOf(cell: Cell): string {
  const plain = cell === undefined ? '' : String(cell);
  const text = typeof cell === 'string' && FORMULA.test(cell) ? `'${plain}` : plain;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export interface CsvLine {
  /** Number of its first line in the text, from 1. */
  line: number;
  fields: string[];
}

/**
 * Empty lines are left out.
 * @param what the file, for the sentence
 * @throws EntrainError `OUTCOMES_INVALID` naming the line of a quoted field that never ends, or that goes on behind its
 * quote
 */
export function parseCsv(text: string, what: string): CsvLine[] {
  const lines: CsvLine[] = [];
  let [at, line] = [0, 1];
  while (at < text.length) {
    const row: CsvLine = { line, fields: [] };
    let more = true;
    while (more) {
      const field = readField(text, at);
      if ('fault' in field)
        throw new EntrainError('OUTCOMES_INVALID', `Line ${line} of ${what} has ${field.fault}.`);
      row.fields.push(field.value);
      line += countBreaks(text.slice(at, field.end));
      at = field.end;
      more = text[at] === ',';
      if (more) at += 1;
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at += 1;
    if (at < text.length) line += 1;
    at += 1;
    if (row.fields.length > 1 || row.fields[0] !== '') lines.push(row);
  }
  return lines;
}

const PLAIN = /[^,\r\n]*/y;
const QUOTED = /"((?:[^"]|"")*)"/y;

function readField(text: string, at: number): { value: string; end: number } | { fault: string } {
  const pattern = text[at] === '"' ? QUOTED : PLAIN;
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (!found) return { fault: 'a quote that is never closed' };
  const end = at + found[0].length;
  if (pattern === PLAIN) return { value: found[0], end };
  if (end < text.length && !/[,\r\n]/.test(text[end] as string))
    return { fault: `text behind the closing quote of a field: expected a comma or the line's end` };
  return { value: (found[1] as string).replaceAll('""', '"'), end };
}

const countBreaks = (text: string): number => text.match(/\r\n|\r|\n/g)?.length ?? 0;
