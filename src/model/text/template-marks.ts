/**
 * What a chat template itself writes around the words: the tokens that end a turn, and marks of roles that are plain
 * text.
 */
import type { Turn } from './template-address.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface TemplateMarks {
  /** The token behind a reply; undefined where the template puts none there. */
  endOfTurn: string | undefined;
  /** Every token of the template between a reply and the next turn: a model that writes one has ended its own. */
  between: string[];
  /** Where no token stands there: the text that does. */
  stops: string[];
  /** Plain text by which a reader knows whose turn it is, such as `[INST]` or `USER:`. */
  roles: RoleMark[];
}

export interface RoleMark {
  text: string;
  /** It is a mark at the beginning of a line only. */
  startsLine: boolean;
}

const WORDS = ['qalpha', 'qbeta', 'qgamma', 'qdelta', 'qepsilon'];
const TURNS = WORDS.map((text, i): Turn => ({ who: i % 2 === 0 ? 'peer' : 'self', text }));
/** Behind the second of the turns, which is the first reply. */
const BEHIND_REPLY = 2;

/** @param render the prompt of a dialogue for a reply */
export function findMarks(
  render: (turns: readonly Turn[]) => string,
  { controls }: Pick<Tokenizer, 'controls'>,
): TemplateMarks {
  const gaps = gapsOf(render(TURNS));
  const names = [...controls.keys()].toSorted((a, b) => b.length - a.length);
  const behind = gaps[BEHIND_REPLY] ?? '';
  const between = cutAt(behind, names).filter((part) => controls.has(part));
  return {
    endOfTurn: between[0],
    between,
    stops: between.length > 0 ? [] : stopsOf(behind),
    roles: rolesOf(gaps.flatMap((gap) => cutAt(gap, names).filter((part) => !controls.has(part)))),
  };
}

/** The first line of a template's own behind a reply, with its line break. */
function stopsOf(behind: string): string[] {
  const line = behind
    .split('\n')
    .map((part) => part.trim())
    .find(Boolean);
  if (line === undefined || !isMark(line)) return [];
  return [/^\s*\n/.test(behind) ? `\n${line}` : line];
}

/** The template's text before, between and behind the words; the words of other case are found too. */
function gapsOf(text: string): string[] {
  const gaps: string[] = [];
  let from = 0;
  for (const word of WORDS) {
    const at = text.toLowerCase().indexOf(word, from);
    if (at < 0) continue;
    gaps.push(text.slice(from, at));
    from = at + word.length;
  }
  return [...gaps, text.slice(from)];
}

/** A text in pieces, of which some are the names. */
function cutAt(text: string, names: readonly string[]): string[] {
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  while (at < text.length) {
    const name = names.find((one) => text.startsWith(one, at));
    if (name === undefined) at++;
    else {
      parts.push(text.slice(start, at), name);
      at += name.length;
      start = at;
    }
  }
  return [...parts, text.slice(start)].filter((part) => part !== '');
}

const BRACKETS = /<+[^<>\s]+>+|\[[^[\]\s]+\]|\{+[^{}\s]+\}+|◁[^▷\s]+▷/gu;
/** Longer lines are no marks but text of the template's own. */
const MOST_CHARACTERS = 40;

function rolesOf(parts: readonly string[]): RoleMark[] {
  const roles = new Map<string, RoleMark>();
  const add = (text: string, startsLine: boolean): void => {
    // A mark that is one anywhere is one at the beginning of a line too.
    if (!roles.get(text) || !startsLine) roles.set(text, { text, startsLine });
  };
  for (const part of parts) {
    for (const [bracketed] of part.matchAll(BRACKETS)) if (isMark(bracketed)) add(bracketed, false);
    for (const [index, line] of part.replaceAll(BRACKETS, '').split('\n').entries()) {
      if (isMark(line.trim()) && line.trim().length <= MOST_CHARACTERS) add(line.trim(), index > 0);
    }
  }
  return [...roles.values()];
}

/** Letters with something that plain speech has none of, or few. */
function isMark(text: string): boolean {
  return /\p{L}/u.test(text) && /[<>[\]{}|#:◁▷]/u.test(text);
}
