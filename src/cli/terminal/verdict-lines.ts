/** A verdict as lines of the terminal. */
import type { Verdict } from '../../protocol/verdict.ts';
import { wrapWords } from './wrap-words.ts';

/** The sentence first, what stands behind it below. */
export function verdictLines({ claim, evidence, caveat }: Verdict, width = Infinity): string[] {
  const lines = [claim, ...evidence.map((text) => `  ${text}`), ...(caveat === '' ? [] : [caveat])];
  return lines.flatMap((text) => wrapWords(text, { width, indent: text.startsWith(' ') ? 4 : 0 }));
}
