/** Breaks a line between words, so that the terminal does not break it inside one. */

/** Characters that take two columns: East Asian letters and most pictograms. */
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
const SEGMENTS = new Intl.Segmenter();

const lettersOf = (text: string): string[] => Array.from(SEGMENTS.segment(text), ({ segment }) => segment);
/** Letters that are one column each: no need to look for them one by one, ten times a second. */
const PLAIN = /^[ -~]*$/;
const columnsOf = (text: string): number =>
  PLAIN.test(text)
    ? text.length
    : lettersOf(text).reduce((sum, letter) => sum + (WIDE.test(letter) ? 2 : 1), 0);

/**
 * @param of `width` in columns, and by how many columns the lines after the first are indented
 * @returns lines of at most `width` columns; a word wider than a line is cut
 */
export function wrapWords(text: string, of: { width: number; indent: number }): string[] {
  const { width } = of;
  if (columnsOf(text) <= width) return [text];
  const indent = ' '.repeat(Math.min(of.indent, Math.floor(width / 2)));
  const lines: string[] = [];
  let line = '';
  for (const [space, word] of wordsOf(text)) {
    if (columnsOf(line + space + word) <= width) {
      line += space + word;
      continue;
    }
    if (line.trim() !== '') lines.push(line.trimEnd());
    line = lines.length > 0 ? indent : line + space;
    for (const letter of lettersOf(word)) {
      if (columnsOf(line + letter) > width) {
        lines.push(line);
        line = indent;
      }
      line += letter;
    }
  }
  return [...lines, line];
}

/** A label at the beginning of a line, with the space after it; or the space alone. */
const LABEL = /^ *(?:\S+ {2,})?/;

/** Whole text, line by line: what is broken off stands below what it belongs to. */
export const wrapText = (text: string, width: number): string =>
  text
    .split('\n')
    .flatMap((line) => wrapWords(line, { width, indent: LABEL.exec(line)?.[0].length ?? 0 }))
    .join('\n');

/** Each word with the space before it. */
const wordsOf = (text: string): [space: string, word: string][] =>
  Array.from(text.matchAll(/(\s*)(\S+)/g), ([, space = '', word = '']) => [space, word]);
