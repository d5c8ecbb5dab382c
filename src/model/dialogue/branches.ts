/**
 * Counterfactual branches of one turn. The speaker samples more utterances from the same history, and a listener
 * reads each of them in place of what was said. Each continues on a copy of the dialogue's cache, so the dialogue
 * itself is unchanged, and the utterances share passes where dialogues can.
 *
 *                ┌─ cache ─────▶ what is said: k = 0
 *   prompt ─▶ cache ── copy ───▶ utterance k ─▶ states
 *                └──── copy ───▶ utterance k + 1 ─▶ states
 */
import { gather } from '../runtime/step-states.ts';
import type { Branch, ReplyStates } from '../types.ts';
import { createEngine, type Engine, FULL_SHARE } from './engine.ts';
import { countTokens, type Chunk } from './prompt-plan.ts';
import { turnOf } from './add-turn.ts';

/**
 * Whether a turn of `maxTokens` after this prompt stays below the share of the context at which turns are dropped.
 */
export function hasRoomToBranch(engine: Engine, plan: readonly Chunk[], maxTokens: number): boolean {
  return countTokens(plan) + maxTokens <= engine.parts.info.contextTokens * FULL_SHARE;
}

/**
 * The states in which the reply would begin now, and if the last turn had been other words. If the last turn was not
 * heard, other words change nothing.
 * @param script read after the last turn, before the reply
 * @returns undefined if one of the prompts exceeds the share of the context at which turns are dropped
 */
export async function replyStates(
  engine: Engine,
  { alternatives, script }: { alternatives: readonly string[]; script?: string | undefined },
): Promise<ReplyStates | undefined> {
  const before = engine.turns.slice(0, -1);
  const last = engine.turns.slice(-1);
  const isHeard = last.some(({ who }) => who === 'peer');
  const versions = [last, ...alternatives.map((text) => (isHeard ? [turnOf(engine, 'peer', text)] : last))];
  const read = script ? [turnOf(engine, 'peer', script)] : [];
  const plans = versions.map((turns) => engine.plan([...before, ...turns, ...read]));
  if (!plans.every((plan) => hasRoomToBranch(engine, plan, 0))) return undefined;
  const states = plans.map((plan, k) =>
    k === 0 ? stateAt(engine, plan) : onFork(engine, (fork) => stateAt(fork, plan)),
  );
  return { layers: [...engine.stateLayers], states: await Promise.all(states) };
}

/** Runs `act` with a copy of the dialogue's present state. */
export async function onFork<T>(engine: Engine, act: (fork: Engine) => Promise<T>): Promise<T> {
  const fork = { ...engine, turns: [...engine.turns], cache: engine.cache.fork() };
  try {
    return await act(fork);
  } finally {
    fork.cache.close();
  }
}

/** Adds the state of a bystander, who hears the utterance without persona and history. */
export async function withBystander(engine: Engine, branch: Omit<Branch, 'bystander'>): Promise<Branch> {
  const { parts, options } = engine;
  const alone = createEngine(parts, { ...options, system: '', steps: null }, true);
  try {
    const plan = alone.plan([turnOf(alone, 'peer', branch.text)]);
    return { ...branch, bystander: await stateAt(alone, plan) };
  } finally {
    alone.cache.close();
  }
}

/** [layers, dims] at the last position of a prompt. */
async function stateAt({ cache, stateLayers, parts }: Engine, plan: readonly Chunk[]): Promise<Float32Array> {
  const layers = [...stateLayers];
  const pass = await cache.followTo(plan, layers);
  const lastRow = (plan.at(-1)?.ids.length ?? 1) - 1;
  return gather(pass, { layers, rows: [lastRow], dims: parts.info.dims });
}
