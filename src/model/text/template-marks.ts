/** Finds what a chat template writes around the words: tokens that end a turn, and marks of roles in plain text. */
import type { Turn } from './template-roles.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface TemplateMarks {
  /** The token after a reply; undefined if the template has none there. */
  endOfTurn: string | undefined;
  /** All tokens of the template between a reply and the next turn: a model that writes one has ended its own. */
  between: string[];
  /** The text after a reply, if no token follows it. */
  stops: string[];
  /** Plain text that marks whose turn it is, such as `[INST]` or `USER:`. */
  roles: RoleMark[];
}

export interface RoleMark {
  text: string;
  /** Whether it is a mark only at the beginning of a line. */
  startsLine: boolean;
}

const WORDS = ['qalpha', 'qbeta', 'qgamma', 'qdelta', 'qepsilon'];
const TURNS = WORDS.map((text, i): Turn => ({ who: i % 2 === 0 ? 'peer' : 'self', text }));
/** Place after the second turn, which is the first reply. */
const BEHIND_REPLY = 2;

/**
 * @param render gives the prompt of a dialogue for a reply
 * @param system the word that stands in it for the system prompt
 */
export function findMarks(
  render: (turns: readonly Turn[]) => string,
  { controls, system }: Pick<Tokenizer, 'controls'> & { system: string },
): TemplateMarks {
  const gaps = gapsOf(render(TURNS));
  const names = [...controls.keys()].toSorted((a, b) => b.length - a.length);
  const behind = gaps[BEHIND_REPLY] ?? '';
  const between = cutAt(behind, names).filter((part) => controls.has(part));
  return {
    endOfTurn: between[0],
    between,
    stops: between.length > 0 ? [] : stopsOf(behind),
    roles: rolesOf(
      gaps
        .flatMap((gap) => gap.split(new RegExp(system, 'gi')))
        .flatMap((gap) => cutAt(gap, names).filter((part) => !controls.has(part))),
    ),
  };
}

/** The template's first line after a reply, with its line break. */
function stopsOf(behind: string): string[] {
  const line = behind
    .split('\n')
    .map((part) => part.trim())
    .find(Boolean);
  if (line === undefined || !isMark(line)) return [];
  return [/^\s*\n/.test(behind) ? `\n${line}` : line];
}

/** The template's text before, between and after the words; words in other case are found too. */
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

/** A text in pieces, some of which are the names. */
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
/** Longer lines are not marks but other text of the template. */
const MOST_CHARACTERS = 40;

function rolesOf(parts: readonly string[]): RoleMark[] {
  const roles = new Map<string, RoleMark>();
  const add = (text: string, startsLine: boolean): void => {
    // A mark anywhere is also a mark at the beginning of a line.
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

/** Whether a text has letters together with characters that are rare in plain speech. */
function isMark(text: string): boolean {
  return /\p{L}/u.test(text) && /[<>[\]{}|#:◁▷]/u.test(text);
}
