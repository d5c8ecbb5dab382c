/**
 * One agent's side of one episode, inside the worker: it reads ahead while the partner speaks, and takes its turns.
 */
import type { Turn } from '../text/template-roles.ts';
import type { Pass } from '../runtime/decoder.ts';
import { createEngine, type Engine, fitContext, type ModelParts } from './engine.ts';
import type { FollowOptions } from './prompt-cache.ts';
import { type Chunk, countTokens, planAhead, segmentOf } from './prompt-plan.ts';
import { addTurn, turnOf } from './add-turn.ts';
import { replyStates } from './branches.ts';
import { readPrompt, speakTurn } from './speak-turn.ts';
import { mapBytes } from '../text/map-byte-offsets.ts';
import { byteRanges } from '../text/detokenizer.ts';
import type { Dialogue, DialogueOptions, StepStates } from '../types.ts';

type OnSteps = (states: StepStates) => void;

export function openDialogue(parts: ModelParts, options: DialogueOptions): Dialogue {
  const engine = createEngine(parts, options);
  const { turns } = engine;
  return {
    hear: (textSoFar, onSteps) => {
      const ends = ENDS_A_SENTENCE.test(textSoFar);
      const words = ends ? textSoFar : wholeWords(textSoFar);
      const stage = ends ? 'seems finished' : words === textSoFar ? 'word ended' : 'word follows';
      return listen(engine, { turns: [...turns, turnOf(engine, 'peer', words)], stage, onSteps });
    },
    heard: (text, onSteps) => {
      addTurn(engine, 'peer', text);
      return listen(engine, { turns, stage: 'finished', onSteps });
    },
    readAside: (text, onSteps) =>
      listen(engine, { turns: [...turns, turnOf(engine, 'peer', text)], stage: 'finished', onSteps }),
    missed: async () => {
      turns.push({ who: 'unheard', text: '' });
      return Promise.resolve();
    },
    promptTokens: () => Promise.resolve(countTokens(engine.plan(turns))),
    turnState: async () => (await readPrompt(engine)).state,
    replyStates: (alternatives, script) => replyStates(engine, { alternatives, script }),
    speak: (speakOptions) => speakTurn(engine, speakOptions),
    recall: async (text) => {
      fitContext(engine);
      addTurn(engine, 'self', text);
      return Promise.resolve();
    },
    close: () => {
      engine.cache.close();
      return Promise.resolve();
    },
  };
}

/** The text without its last word, which may still grow and change its tokens, until white space follows. */
function wholeWords(text: string): string {
  return text.slice(0, Math.max(0, text.search(/\S*$/u)));
}

/** An utterance may end like this: the prompt of a reply is then computed ahead, and rewound if more words come. */
const ENDS_A_SENTENCE = /[.!?…。！？]["'”’»)\]]*\s*$/u;

interface Listening {
  turns: readonly Turn[];
  /** How far the last turn's words have come. */
  stage: 'word follows' | 'word ended' | 'seems finished' | 'finished';
  onSteps: OnSteps;
}

/**
 * Reads the last turn. Once its words are finished, the prompt of a reply is computed too, so that taking the turn
 * waits for nothing.
 */
async function listen(engine: Engine, { turns, stage, onSteps }: Listening): Promise<void> {
  const turn = turns.length - 1;
  const whole = engine.plan(turns);
  // A prompt that does not fit is not computed ahead; taking the turn drops old turns by the context policy.
  if (countTokens(whole) >= engine.parts.info.contextTokens) return;
  const replies = stage === 'finished' || stage === 'seems finished';
  const plan = replies ? whole : planAhead(whole, turn, stage === 'word follows');
  await engine.cache.follow(plan, {
    layersOf: (chunk, last) => [
      ...(chunk.segment === segmentOf(turn) ? engine.picker.layers : []),
      ...(replies && last ? engine.stateLayers : []),
    ],
    onPass: stepEmitter(engine, {
      plan,
      turn,
      words: turns[turn],
      end: replies ? 'finished' : 'goes on',
      onSteps,
    }),
    isTentative: (chunk) => stage === 'seems finished' && chunk.open,
  });
}

interface Emitting {
  plan: readonly Chunk[];
  turn: number;
  words: Turn | undefined;
  /** Whether the plan holds all words of the turn, or its first ones. */
  end: 'finished' | 'goes on';
  onSteps: OnSteps;
}

/** Passes on the states of the words of `turn`. */
function stepEmitter(
  { picker, parts }: Engine,
  { plan, turn, words: heard, end, onSteps }: Emitting,
): FollowOptions['onPass'] {
  if (picker.layers.length === 0) return () => undefined;
  const segment = segmentOf(turn);
  const words = plan.filter((chunk) => chunk.segment === segment);
  const ids = words.flatMap((chunk) => chunk.ids.slice(0, chunk.words));
  const place = heard?.said === undefined ? (byte: number): number => byte : mapBytes(heard.text, heard.said);
  const bytes = byteRanges(ids, (tokens) => parts.tokenizer.decode(tokens), end).map(
    ([from, to]): [number, number] => [place(from), place(to)],
  );
  return (chunk: Chunk, pass: Pass) => {
    if (chunk.segment !== segment) return;
    const range = bytes.slice(chunk.step0, chunk.step0 + chunk.words);
    const states = picker.pick({ role: 'listen', step0: chunk.step0, bytes: range, pass });
    if (states) onSteps(states);
  };
}
