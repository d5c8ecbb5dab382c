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
}

/** Zero-width space, word joiner, blank: the first that the tokenizer keeps as a character is used. */
const BREAKERS = ['\u200B', '\u2060', ' '];
/** More rounds would need marks nested in marks; what is left then is broken up character by character. */
const MOST_ROUNDS = 8;
/** Number of names with which the character is tested. */
const MOST_TRIED = 64;
const LINE_START = String.raw`(?<=[\n\r\v\f\u0085\u2028\u2029]\s*)`;

/** @returns a function that makes words safe for prompts; words without marks are unchanged */
export function createEscape({ controls, unknown, roles, encode }: EscapeParts): (text: string) => string {
  const pattern = patternOf(controls, roles);
  const ids = new Set([...controls.values()].filter((id) => id !== unknown));
  const isPlain = (text: string): boolean => encode(text).every((id) => !ids.has(id));
  const named = ['<|end|>', ...[...controls.keys()].slice(0, MOST_TRIED)];
  const breaker = BREAKERS.find(
    (one) =>
      encode(`a${one}b`).every((id) => id !== unknown) && named.every((name) => isPlain(breakUp(name, one))),
  );
  const between = breaker ?? ' ';
  return (text) => {
    const safe = breakMarks(text.replaceAll(/\p{Co}/gu, ''), pattern, between);
    if (isPlain(safe)) return safe;
    // A normaliser made a mark of other characters.
    const apart = safe.replaceAll(/[^\p{L}\p{N}\s]/gu, (character) => character + between);
    return isPlain(apart) ? apart : safe.replaceAll(/[^\p{L}\p{N}\s.,!?'’]+/gu, ' ');
  };
}

function breakMarks(text: string, pattern: RegExp, breaker: string): string {
  let safe = text;
  for (let round = 0; round < MOST_ROUNDS && safe.search(pattern) >= 0; round++)
    safe = safe.replaceAll(pattern, (mark) => breakUp(mark, breaker));
  return safe;
}

/** Inserts the breaker after the first character. */
function breakUp(mark: string, breaker: string): string {
  const [first = ''] = mark;
  return first + breaker + mark.slice(first.length);
}

function patternOf(controls: ReadonlyMap<string, number>, roles: readonly RoleMark[]): RegExp {
  const marks = [...[...controls.keys()].map((text) => ({ text, startsLine: false })), ...roles].toSorted(
    (a, b) => b.text.length - a.text.length,
  );
  return new RegExp(
    [...marks, NO_MARK]
      .map(({ text, startsLine }) => (startsLine ? LINE_START : '') + escapePattern(text))
      .join('|'),
    'gu',
  );
}

/** Matches nothing, for models without marks. */
const NO_MARK = { text: '\u{10FFFF}', startsLine: false };

function escapePattern(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}/-]/g, String.raw`\$&`);
}
