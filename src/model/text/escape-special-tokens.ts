/**
 * Neutralises marks in words: what agents say must not be read as a control token or as a mark of the template. The
 * words stay readable; each mark gets an invisible character.
 */
import type { RoleMark } from './template-marks.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface EscapeParts {
  /** Names of tokens that are not words, with their ids. */
  controls: ReadonlyMap<string, number>;
  /** Id of the token for unknown characters. */
  unknown: number | undefined;
  roles: readonly RoleMark[];
  encode: Tokenizer['encode'];
  decode: Tokenizer['decode'];
}

/** Zero-width space, word joiner, blank: the first that the tokenizer keeps as a character is used. */
const BREAKERS = ['\u200B', '\u2060', ' '];
/** More rounds would need marks nested in marks; what is left then is broken up character by character. */
const MOST_ROUNDS = 8;
/** Number of names with which the character is tested. */
const MOST_TRIED = 64;
/** @returns a function that makes words safe for prompts; words without marks are unchanged */
export function createEscape({
  controls,
  unknown,
  roles,
  encode,
  decode,
}: EscapeParts): (text: string) => string {
  const named = [...controls.keys()].map((text) => ({ text, startsLine: false }));
  const marks = patternsOf([...named, ...roles]);
  // A normaliser makes marks of other characters: of the template's own, too.
  const asRead = roles.map((role) => ({ ...role, text: decode(encode(role.text)).trim() }));
  const readRoles = patternsOf([...roles, ...asRead]);
  const ids = new Set([...controls.values()].filter((id) => id !== unknown));
  const isPlain = (text: string): boolean => {
    const read = encode(text);
    return read.every((id) => !ids.has(id)) && (roles.length === 0 || !hasMark(decode(read), readRoles));
  };
  const tried = ['<|end|>', ...roles.map(({ text }) => text), ...[...controls.keys()].slice(0, MOST_TRIED)];
  const breaker = BREAKERS.find(
    (one) =>
      encode(`a${one}b`).every((id) => id !== unknown) && tried.every((name) => isPlain(breakUp(name, one))),
  );
  const between = breaker ?? ' ';
  return (text) => {
    const safe = breakMarks(text.replaceAll(/\p{Co}/gu, ''), marks, between);
    if (isPlain(safe)) return safe;
    const apart = safe.replaceAll(/[^\p{L}\p{N}\s]/gu, (character) => character + between);
    return isPlain(apart) ? apart : safe.replaceAll(/[^\p{L}\p{N}\s.,!?'’]+/gu, ' ');
  };
}

/** Marks that are marks anywhere, and those that are marks only where they begin a line. */
interface Patterns {
  anywhere: RegExp;
  inLines: RegExp;
}

function patternsOf(marks: readonly RoleMark[]): Patterns {
  const of = (startsLine: boolean): RegExp =>
    anyOf(marks.filter((mark) => mark.startsLine === startsLine && mark.text !== '').map(({ text }) => text));
  return { anywhere: of(false), inLines: of(true) };
}

function hasMark(text: string, { anywhere, inLines }: Patterns): boolean {
  if (text.search(anywhere) >= 0) return true;
  return [...text.matchAll(inLines)].some(({ index }) => startsLine(text, index));
}

function breakMarks(text: string, { anywhere, inLines }: Patterns, breaker: string): string {
  let safe = text;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = safe;
    safe = before
      .replaceAll(anywhere, (mark) => breakUp(mark, breaker))
      .replaceAll(inLines, (mark, at: number, whole: string) =>
        startsLine(whole, at) ? breakUp(mark, breaker) : mark,
      );
    if (safe === before) break;
  }
  return safe;
}

const LINE_BREAK = /[\n\r\v\f\u0085\u2028\u2029]/;
const INVISIBLE = /[\s\p{Cf}]/u;

/**
 * Whether nothing that is seen stands before this place in its line. Words begin a line, since a template may put a
 * line break before them.
 */
function startsLine(text: string, index: number): boolean {
  let at = index - 1;
  while (at >= 0 && INVISIBLE.test(text[at] as string) && !LINE_BREAK.test(text[at] as string)) at--;
  return at < 0 || LINE_BREAK.test(text[at] as string);
}

/** Inserts the breaker after the first character. */
function breakUp(mark: string, breaker: string): string {
  const [first = ''] = mark;
  return first + breaker + mark.slice(first.length);
}

/** Matches any of the texts, the longer one first; nothing where there is none. */
function anyOf(texts: readonly string[]): RegExp {
  const sorted = [...texts, NO_MARK].toSorted((a, b) => b.length - a.length);
  return new RegExp(sorted.map(escapePattern).join('|'), 'gu');
}

/** No text holds it. */
const NO_MARK = '\u{10FFFF}';

function escapePattern(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}/-]/g, String.raw`\$&`);
}
