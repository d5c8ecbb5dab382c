/**
 * Finds each turn's words in a prompt. The template is rendered twice, once with marks around the words; the prompt
 * itself is always without marks. If a template cuts or rewrites its input so that the two differ, words are searched
 * for.
 */
import type { Turn } from './template-roles.ts';

/** Private-use characters, which prompts never hold. */
const OPEN = '\u{F0E00}';
const CLOSE = '\u{F0E01}';
const MARKED = new RegExp(`${OPEN}(\\d+)${OPEN}([^${OPEN}${CLOSE}]*)${CLOSE}`, 'gu');

export function markWords(turns: readonly Turn[]): Turn[] {
  return turns.map((turn, index) => ({ ...turn, text: `${OPEN}${index}${OPEN}${turn.text}${CLOSE}` }));
}

type Ranges = Map<number, [start: number, end: number]>;

/** @returns character ranges by index of the turn, without turns that were unheard or are not found */
export function locateWords(text: string, marked: string, turns: readonly Turn[]): Ranges {
  const { plain, ranges } = takeMarks(marked);
  return plain === text ? ranges : searchWords(text, turns);
}

function takeMarks(marked: string): { plain: string; ranges: Ranges } {
  const ranges: Ranges = new Map();
  let plain = '';
  let from = 0;
  for (const match of marked.matchAll(MARKED)) {
    plain += marked.slice(from, match.index);
    const words = match[2] ?? '';
    ranges.set(Number(match[1]), [plain.length, plain.length + words.length]);
    plain += words;
    from = match.index + match[0].length;
  }
  return { plain: plain + marked.slice(from), ranges };
}

function searchWords(text: string, turns: readonly Turn[]): Ranges {
  const ranges: Ranges = new Map();
  let from = 0;
  for (const [index, turn] of turns.entries()) {
    if (turn.who === 'unheard' || turn.text === '') continue;
    const start = text.indexOf(turn.text, from);
    if (start < 0) continue;
    from = start + turn.text.length;
    ranges.set(index, [start, from]);
  }
  return ranges;
}
