/** One agent's side of one episode, inside the worker: it listens ahead while the partner speaks, and takes its turns. */
import type { Turn } from './chat-template.ts';
import type { Pass } from './decoder.ts';
import { createEngine, type Engine, fitContext, type ModelParts } from './engine.ts';
import type { FollowOptions } from './prompt-cache.ts';
import { type Chunk, countTokens, planThrough } from './prompt-plan.ts';
import { speakTurn } from './speak-turn.ts';
import { byteRanges } from './spoken-text.ts';
import type { Dialogue, DialogueOptions, StepStates } from './types.ts';

type OnSteps = (states: StepStates) => void;

export function openDialogue(parts: ModelParts, options: DialogueOptions): Dialogue {
  const engine = createEngine(parts, options);
  const { turns } = engine;
  const clean = (text: string): string => parts.tokenizer.shield(text.trim());
  return {
    hear: (textSoFar, onSteps) => {
      const sofar: Turn[] = [...turns, { who: 'peer', text: clean(wholeWords(textSoFar)) }];
      return listen(engine, { turns: sofar, finished: false, onSteps });
    },
    heard: (text, onSteps) => {
      turns.push({ who: 'peer', text: clean(text) });
      return listen(engine, { turns, finished: true, onSteps });
    },
    missed: async () => {
      turns.push({ who: 'unheard', text: '' });
      return Promise.resolve();
    },
    speak: (speakOptions) => speakTurn(engine, speakOptions),
    recall: async (text) => {
      fitContext(engine);
      turns.push({ who: 'self', text: clean(text) });
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

/** The last word may still grow, and with it its tokens: it is held back until white space follows. */
function wholeWords(text: string): string {
  return text.slice(0, Math.max(0, text.search(/\S*$/u)));
}

interface Listening {
  turns: readonly Turn[];
  finished: boolean;
  onSteps: OnSteps;
}

async function listen(engine: Engine, { turns, finished, onSteps }: Listening): Promise<void> {
  const turn = turns.length - 1;
  const plan = planThrough(engine.plan(turns), turn, finished);
  // What does not fit is not computed ahead; taking the turn makes room by the context policy.
  if (plan.length === 0 || countTokens(plan) >= engine.parts.info.contextTokens) return;
  await engine.cache.follow(plan, { rerunLast: false, ...heardSteps(engine, { plan, turn, onSteps }) });
}

/** Which layers the chunks of the heard turn want, and what becomes of them. */
function heardSteps(
  engine: Engine,
  { plan, turn, onSteps }: { plan: readonly Chunk[]; turn: number; onSteps: OnSteps },
): Pick<FollowOptions, 'layersOf' | 'onPass'> {
  const { picker, parts } = engine;
  const words = plan.filter((chunk) => chunk.turn === turn).flatMap(({ ids }) => ids);
  const bytes = byteRanges(words, (ids) => parts.tokenizer.decode(ids));
  return {
    layersOf: (chunk) => (chunk.turn === turn ? picker.layers : []),
    onPass: (chunk: Chunk, pass: Pass) => {
      if (chunk.turn !== turn) return;
      const range = bytes.slice(chunk.step0, chunk.step0 + chunk.ids.length);
      const states = picker.pick({ role: 'listen', step0: chunk.step0, bytes: range, pass });
      if (states) onSteps(states);
    },
  };
}
