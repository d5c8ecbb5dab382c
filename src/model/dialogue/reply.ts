/**
 * A reply while it is written, token by token: which part is reasoning, which is speech, and where it ends. Reasoning
 * is not part of the utterance, and its steps have a role of their own.
 *
 *   ids ─▶ in a thought? ─yes─▶ step of role think
 *                └─ no ─▶ held speech ─▶ token, step of role speak
 */
import type { ThoughtMarks } from '../text/reasoning.ts';
import { createTextStream, type TextStream } from '../text/detokenizer.ts';
import type { SpokenToken, StepStates } from '../types.ts';
import {
  createHeldSpeech,
  findPhrase,
  type HeldSpeech,
  NO_BYTES,
  settle,
  type ToSteps,
  type WrittenToken,
} from './held-speech.ts';

export interface ReplyOptions {
  decode(ids: readonly number[]): string;
  idOf(token: string): number | undefined;
  stops: readonly string[];
  pairs: readonly ThoughtMarks[];
  /** `unknown`: reasoning may become visible only at its end, so nothing is released before. */
  begins: 'thinking' | 'speaking' | 'unknown';
  /** The mark that ends reasoning which the prompt has begun. */
  closing: string;
  onToken(token: SpokenToken): void;
  onSteps(states: StepStates): void;
}

export interface Reply {
  /** @returns whether a stop string has ended the reply */
  push(id: number): boolean;
  /** Passes on the states of the token pushed last. */
  states(toSteps: ToSteps): void;
  isThinking(): boolean;
  /** The mark that ends the present reasoning. */
  closing(): string;
  /**
   * Ends the reply.
   * @returns what was said
   */
  end(): string;
}

interface Writing {
  options: ReplyOptions;
  speech: HeldSpeech;
  closes: readonly string[];
  thinking: boolean;
  /** Whether speech is known to be speech. */
  certain: boolean;
  /** Decodes speech and the present reasoning. */
  stream: TextStream;
  thoughts: TextStream;
  /** The last characters of the present reasoning, and the mark that ends it. */
  thought: string;
  closing: string;
  /** The token pushed last. */
  last: WrittenToken;
}

export function createReply(options: ReplyOptions): Reply {
  const { decode, pairs, stops, begins } = options;
  const closes = pairs.map(({ close }) => close);
  const opens = pairs.map(({ open }) => open);
  const writing: Writing = {
    options,
    speech: createHeldSpeech({ ...options, phrases: [...stops, ...opens, ...closes] }),
    closes,
    thinking: begins === 'thinking',
    certain: begins !== 'unknown',
    stream: createTextStream(decode),
    thoughts: createTextStream(decode),
    thought: '',
    closing: options.closing || (closes[0] ?? ''),
    last: thoughtToken(),
  };
  return {
    push: (id) => push(writing, id),
    states: (toSteps) => {
      writing.last.toSteps = toSteps;
      settle(writing.last, options);
    },
    isThinking: () => writing.thinking,
    closing: () => writing.closing,
    end: () => {
      const rest = writing.thinking ? '' : writing.stream.end().text;
      if (rest !== '') say(writing, rest);
      return writing.speech.end();
    },
  };
}

/** @returns whether a stop string is complete, as do the functions below */
function push(writing: Writing, id: number): boolean {
  const { pairs, idOf } = writing.options;
  writing.last = thoughtToken();
  if (pairs.some(({ close }) => idOf(close) === id)) return closeThought(writing, '');
  const opened = pairs.find(({ open }) => idOf(open) === id);
  if (opened) return openThought(writing, opened.open, '');
  return writing.thinking
    ? think(writing, writing.thoughts.push(id).text)
    : say(writing, writing.stream.push(id).text);
}

/** @param text what the token adds */
function say(writing: Writing, text: string): boolean {
  const { speech, closes, certain, options } = writing;
  const { token, found } = speech.add(speech.isEmpty() ? text.trimStart() : text);
  writing.last = token;
  if (!found) {
    if (certain) speech.tell();
    return false;
  }
  if (closes.includes(found.phrase)) return closeThought(writing, found.rest);
  const isStop = options.stops.includes(found.phrase);
  speech.cut(found.at, isStop ? 'dropped' : 'thought');
  return isStop || openThought(writing, found.phrase, found.rest);
}

function think(writing: Writing, text: string): boolean {
  writing.thought += text;
  const found = findPhrase(writing.thought, writing.closes, 0);
  if (found) return closeThought(writing, found.rest);
  writing.thought = writing.thought.slice(-LONGEST_MARK);
  return false;
}

/** @param rest text of the token after the mark, as in the function below */
function openThought(writing: Writing, open: string, rest: string): boolean {
  writing.closing = writing.options.pairs.find((pair) => pair.open === open)?.close ?? writing.closing;
  if (writing.certain) writing.speech.tell();
  writing.thinking = true;
  writing.certain = true;
  writing.thought = '';
  writing.thoughts = createTextStream(writing.options.decode);
  return think(writing, rest);
}

/** Ends reasoning. If no beginning was seen, everything before was reasoning. */
function closeThought(writing: Writing, rest: string): boolean {
  const { speech, options } = writing;
  if (!writing.thinking) speech.cut(0, 'thought');
  writing.thinking = false;
  writing.certain = true;
  if (speech.isEmpty()) writing.stream = createTextStream(options.decode);
  return rest.trim() === '' ? false : say(writing, rest);
}

/** No mark is longer. */
const LONGEST_MARK = 64;

function thoughtToken(): WrittenToken {
  return { fate: 'thought', from: 0, to: 0, bytes: NO_BYTES };
}
