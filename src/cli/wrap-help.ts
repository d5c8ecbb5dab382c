/** Breaks the lines of a help page between words, so that a narrow terminal does not break them inside one. */
import { wrapWords } from './terminal/wrap-words.ts';

/** Of pages that are not shown on a terminal, such as docs/reference/cli.md. */
const USUAL_WIDTH = 80;
/** Longer lines are hard to read. */
const MOST_WIDTH = 100;
const LEAST_WIDTH = 40;

/** Width of help on this terminal, in columns. @param columns undefined: not a terminal */
export function helpWidth(columns: number | undefined): number {
  return Math.max(LEAST_WIDTH, Math.min(MOST_WIDTH, columns ?? USUAL_WIDTH));
}

/**
 * Lines after the first are indented like the text that they go on with: a paragraph like itself, what is said of a
 * flag like its column.
 */
export function wrapHelp(text: string, width: number): string {
  return joinParagraphs(text.split('\n'), width)
    .flatMap((line) => wrapWords(line, { width, indent: indentOf(line) }))
    .join('\n');
}

/** The column of the text behind a flag or name, or else of the first letter. */
function indentOf(line: string): number {
  const [listed] = /^ *\S+(?: \S+)*(?: {2,})(?=\S)/.exec(line) ?? [];
  if (line.startsWith('entrain ')) return 4;
  return listed?.length ?? startOf(line);
}

/** A paragraph that its author broke at more than the width is one line again. */
function joinParagraphs(lines: readonly string[], width: number): string[] {
  const joined: string[] = [];
  let isOpen = false;
  for (const line of lines) {
    const last = joined.at(-1) ?? '';
    const isSame = isOpen && line.trim() !== '' && startOf(line) === indentOf(last);
    if (isSame) joined.push(`${joined.pop() ?? ''} ${line.trim()}`);
    else joined.push(line);
    isOpen = line.length > width && !/[.;:]$/.test(line);
  }
  return joined;
}

const startOf = (line: string): number => line.length - line.trimStart().length;
