/**
 * Releases the tokens of speech when they are certain. Text that may be the beginning of a phrase (a stop string, a
 * mark of reasoning) or of the blanks at the end is held back until later tokens decide, so listeners never get words
 * that were not said in the end.
 */
import type { SpokenToken, StepStates } from '../types.ts';

/** Makes a step of a token's states, once it is known what the token was. */
export type ToSteps = (
  role: 'speak' | 'think',
  bytes: [start: number, end: number],
) => StepStates | undefined;

export interface WrittenToken {
  fate: 'held' | 'told' | 'thought' | 'dropped';
  /** Number of characters of the speech before and with this token. */
  from: number;
  to: number;
  /** Byte range in UTF-8 of a released token. */
  bytes: [start: number, end: number];
  toSteps?: ToSteps | undefined;
}

export interface SpeechOptions {
  /** Strings that end the speech or begin something else. */
  phrases: readonly string[];
  onToken(token: SpokenToken): void;
  onSteps(states: StepStates): void;
}

export interface HeldSpeech {
  /** Adds a token's text. */
  add(text: string): { token: WrittenToken; found: FoundPhrase | undefined };
  /** Removes the text from a place on; its tokens were reasoning, or are dropped. */
  cut(at: number, fate: 'thought' | 'dropped'): void;
  /** Releases what is certain. */
  tell(): void;
  /**
   * Ends the speech.
   * @returns what was said, without blanks at its end
   */
  end(): string;
  isEmpty(): boolean;
}

export interface FoundPhrase {
  phrase: string;
  /** Where it begins in the speech, in characters. */
  at: number;
  /** The text after it. */
  rest: string;
}

const encoder = new TextEncoder();
export const NO_BYTES: [start: number, end: number] = [0, 0];

export function createHeldSpeech(options: SpeechOptions): HeldSpeech {
  const { phrases } = options;
  const longest = Math.max(0, ...phrases.map(({ length }) => length));
  let text = '';
  let held: WrittenToken[] = [];
  const told = { tokens: 0, bytes: 0 };
  const tellUpTo = (certain: number): void => {
    while (held[0] && held[0].to <= certain) {
      const token = held.shift() as WrittenToken;
      tellToken(token, { said: text.slice(token.from, token.to), told, options });
    }
  };
  const add: HeldSpeech['add'] = (piece) => {
    const from = text.length;
    text += piece;
    const token: WrittenToken = { fate: 'held', from, to: text.length, bytes: NO_BYTES };
    held.push(token);
    return { token, found: findPhrase(text, phrases, Math.max(0, from - longest)) };
  };
  const cut: HeldSpeech['cut'] = (at, fate) => {
    text = text.slice(0, at);
    // Everything was removed, so the released text begins anew.
    if (at === 0) Object.assign(told, { tokens: 0, bytes: 0 });
    for (const token of held) token.to = Math.min(token.to, at);
    const gone = held.filter(({ from }) => from >= at);
    held = held.filter(({ from }) => from < at);
    for (const token of gone) settle(Object.assign(token, { fate }), options);
  };
  return {
    add,
    cut,
    tell: () => tellUpTo(certainLength(text, phrases, longest)),
    end: () => {
      cut(text.trimEnd().length, 'dropped');
      tellUpTo(text.length);
      return text;
    },
    isEmpty: () => text === '',
  };
}

interface Telling {
  said: string;
  told: { tokens: number; bytes: number };
  options: SpeechOptions;
}

function tellToken(token: WrittenToken, { said, told, options }: Telling): void {
  const byte0 = told.bytes;
  told.bytes += encoder.encode(said).length;
  Object.assign(token, { fate: 'told', bytes: [byte0, told.bytes] });
  options.onToken({ step: told.tokens++, text: said, byte0, byte1: told.bytes });
  settle(token, options);
}

/** Passes on the states of a token by what it was; those of a dropped token are not passed on. */
export function settle(token: WrittenToken, { onSteps }: Pick<SpeechOptions, 'onSteps'>): void {
  const { fate, bytes, toSteps } = token;
  if (!toSteps || fate === 'held' || fate === 'dropped') return;
  const states = fate === 'told' ? toSteps('speak', bytes) : toSteps('think', NO_BYTES);
  if (states) onSteps(states);
}

/** The phrase that begins first; of two at one place the longer one. */
export function findPhrase(text: string, phrases: readonly string[], from: number): FoundPhrase | undefined {
  let found: FoundPhrase | undefined;
  for (const phrase of phrases) {
    const at = text.indexOf(phrase, from);
    if (at < 0 || (found && (at > found.at || (at === found.at && phrase.length < found.phrase.length))))
      continue;
    found = { phrase, at, rest: text.slice(at + phrase.length) };
  }
  return found;
}

/** Length of the text that is certain, whatever follows. */
function certainLength(text: string, phrases: readonly string[], longest: number): number {
  let length = text.length;
  for (let at = Math.max(0, text.length - longest + 1); at < length; at++) {
    const tail = text.slice(at);
    if (phrases.some((phrase) => phrase.startsWith(tail))) length = at;
  }
  return text.slice(0, length).trimEnd().length;
}
