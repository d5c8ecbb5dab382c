/**
 * Takes a turn: the rest of the prompt, the state that produces the first token, then token by token until the end.
 */
import { systemClock } from '../../process/clock.ts';
import { EntrainError } from '../../protocol/errors.ts';
import type { Pass } from '../runtime/decoder.ts';
import { type Engine, fitContext } from './engine.ts';
import { type Chunk, segmentOf } from './prompt-plan.ts';
import { createRandom } from '../../protocol/random.ts';
import { sampleToken } from './sample.ts';
import { createBudget } from './reply-budget.ts';
import { createReply, type Reply } from './reply.ts';
import { addTurn } from './add-turn.ts';
import { beginningOf } from '../text/reasoning.ts';
import { gather } from '../runtime/step-states.ts';
import type {
  Branch,
  BranchesAsked,
  PatchAsked,
  Patched,
  SpeakOptions,
  Spoken,
  TurnState,
} from '../types.ts';
import { hasRoomToBranch, onFork, withBystander } from './branches.ts';
import { createUtteranceStates, type UtteranceStates } from './utterance-states.ts';

export async function speakTurn(engine: Engine, options: SpeakOptions): Promise<Spoken> {
  const startMs = systemClock.monotonicMs();
  const dropped = engine.droppedTurns;
  const { plan, pass: prompt, state } = await readPrompt(engine);
  const saying = { options, plan, prompt, turn: engine.turns.length };
  const branches = hasRoomToBranch(engine, plan, options.maxTokens) ? options.branches : undefined;
  // A copy, since the state itself is transferred to another thread.
  const promptState = branches ? state.data.slice() : state.data;
  options.onState(state);
  const reply = branches
    ? await sayBranches(engine, { saying, promptState, branches })
    : await sayTokens(engine, saying);
  addTurn(engine, 'self', reply.text);
  return {
    text: reply.text,
    finish: reply.finish,
    tokens: reply.tokens,
    droppedTurns: engine.droppedTurns - dropped,
    firstTokenMs: reply.firstTokenAtMs - startMs,
    totalMs: reply.endedAtMs - startMs,
  };
}

interface ReadPrompt {
  plan: readonly Chunk[];
  /** The pass of the prompt's last chunk. */
  pass: Pass;
  state: TurnState;
}

/** Computes the missing part of a reply's prompt, and leaves no other trace. */
export async function readPrompt(engine: Engine): Promise<ReadPrompt> {
  fitContext(engine);
  const plan = engine.plan(engine.turns);
  const { dims } = engine.parts.info;
  const layers = [...engine.stateLayers];
  const pass = await engine.cache.followTo(plan, layers);
  const lastRow = (plan.at(-1)?.ids.length ?? 1) - 1;
  const data = gather(pass, { layers, rows: [lastRow], dims });
  const words = engine.cache.meanEmbedding();
  const text = promptText(engine);
  const sentence = (await engine.parts.sentenceEncoder?.encode(text)) ?? new Float32Array();
  const { droppedTurns } = engine;
  return { plan, pass, state: { layers, data, words, promptText: text, sentence, droppedTurns } };
}

function promptText(engine: Engine): string {
  const heard = engine.turns.filter(({ who }) => who !== 'unheard').map(({ text }) => text);
  return [engine.options.system, ...heard].filter((text) => text !== '').join('\n');
}

interface Saying {
  options: Pick<SpeakOptions, 'seed' | 'maxTokens' | 'mayLeave' | 'onToken' | 'onSteps'>;
  plan: readonly Chunk[];
  prompt: Pass;
  turn: number;
  /** Collects the states of the published tokens, if the turn has branches. */
  states?: UtteranceStates | undefined;
}

interface Written {
  text: string;
  finish: Spoken['finish'];
  tokens: number;
  firstTokenAtMs: number;
  endedAtMs: number;
}

interface Branching {
  saying: Saying;
  /** [layers, dims] at the prompt's last position. */
  promptState: Float32Array;
  branches: BranchesAsked;
}

/**
 * Says the utterance and its other versions at the same time, each of those on a copy of the cache.
 * @returns what is said
 */
async function sayBranches(engine: Engine, branching: Branching): Promise<Written> {
  const { saying, branches } = branching;
  const { onBranch, onPatched, seeds, patches = [] } = branches;
  const quiet = { ...saying.options, onToken: () => undefined, onSteps: () => undefined };
  const alternatives = seeds.map((seed, i) => {
    const version = { ...branching, saying: { ...saying, options: { ...quiet, seed } } };
    return onFork(engine, (fork) => sayVersion(fork, version, i + 1));
  });
  const moved = patches.map((patch) => {
    const delta = deltaOf(engine, branching.promptState, patch);
    return sayPatched(engine, { ...saying, options: quiet }, { ...patch, delta });
  });
  const versions = await Promise.all([sayVersion(engine, branching, 0), ...alternatives]);
  // All at once, so that the readings share passes, and after the last word, which they would hold up.
  const branchesRead = await Promise.all(versions.map(({ branch }) => withBystander(engine, branch)));
  for (const branch of branchesRead) onBranch(branch);
  for (const patched of await Promise.all(moved)) onPatched?.(patched);
  return versions[0].written;
}

/** Moves a state at the prompt's last position, and goes on from there. */
function sayPatched(
  engine: Engine,
  saying: Saying,
  { k, layer, delta }: PatchAsked & { delta: Float32Array },
): Promise<Patched> {
  return onFork(engine, async (fork) => {
    const prompt = await fork.cache.patchLast(saying.plan, { layer, delta });
    const { text, finish, tokens } = await sayTokens(fork, { ...saying, prompt });
    return { k, text, finish, tokens };
  });
}

/** What is added to the prompt's state, [layers, dims], so that the asked state takes its place. */
function deltaOf(
  { stateLayers, parts }: Engine,
  promptState: Float32Array,
  { layer, delta, state }: PatchAsked,
): Float32Array {
  const { dims } = parts.info;
  if (delta) return delta;
  const at = [...stateLayers].indexOf(layer) * dims;
  return Float32Array.from(
    { length: dims },
    (_, d) => (state?.[d] as number) - (promptState[at + d] as number),
  );
}

async function sayVersion(
  engine: Engine,
  { saying, promptState: prompt }: Branching,
  k: number,
): Promise<{ written: Written; branch: Omit<Branch, 'bystander'> }> {
  const layers = [...engine.stateLayers];
  const states = createUtteranceStates({ layers, dims: engine.parts.info.dims, prompt });
  const written = await sayTokens(engine, { ...saying, states });
  const { text, finish, tokens } = written;
  return { written, branch: { k, layers, text, finish, tokens, ...states.end() } };
}

async function sayTokens(engine: Engine, saying: Saying): Promise<Written> {
  const { options, states } = saying;
  const { picker } = engine;
  const layers = states ? [...new Set([...picker.layers, ...engine.stateLayers])] : picker.layers;
  const reply = beginReply(engine, options);
  const choose = createChooser(engine, saying);
  const closing = (): readonly number[] => engine.parts.tokenizer.encode(reply.closing());
  const budget = createBudget(engine, { maxTokens: options.maxTokens, closing });
  const written: Written = { text: '', finish: 'length', tokens: 0, firstTokenAtMs: 0, endedAtMs: 0 };
  let { logits } = saying.prompt;
  while (budget.hasRoom(written.tokens)) {
    const id = budget.forced() ?? choose(logits);
    if (written.tokens === 0) written.firstTokenAtMs = systemClock.monotonicMs();
    const finish = finishOf(engine, id);
    if (finish) {
      written.finish = finish;
      break;
    }
    const step = written.tokens++;
    const wasThought = reply.isThinking();
    if (reply.push(id)) {
      written.finish = 'stop';
      break;
    }
    budget.spend(wasThought, reply.isThinking());
    if (!budget.hasRoom(written.tokens) && layers.length === 0) break;
    const chunk = { ids: [id], words: 1, segment: segmentOf(saying.turn), step0: step, open: false };
    const pass = await engine.cache.append(chunk, layers);
    reply.states((role, bytes) => {
      if (role === 'speak') states?.take(pass);
      return picker.pick({ role, step0: step, bytes: [bytes], pass });
    });
    logits = pass.logits;
  }
  return { ...written, text: reply.end(), endedAtMs: systemClock.monotonicMs() };
}

function beginReply(engine: Engine, { onToken, onSteps }: Saying['options']): Reply {
  const { tokenizer, template } = engine.parts;
  const { kind, close } = beginningOf(template.reasoning, tailOf(engine));
  return createReply({
    decode: (ids) => tokenizer.decode(ids),
    idOf: (token) => tokenizer.idOf(token),
    stops: [...template.stops, ...engine.options.sampling.stops],
    pairs: template.reasoning.pairs,
    begins: kind,
    closing: close,
    onToken,
    onSteps,
  });
}

/** The template's text after the last words. */
function tailOf({ options, turns, rendered }: Engine): string {
  const { text, ranges } = rendered(turns);
  const end = Math.max(0, ...[...ranges.values()].map(([, to]) => to));
  const system = options.system.trim();
  const systemAt = system === '' ? -1 : text.lastIndexOf(system);
  return text.slice(Math.max(end, systemAt < 0 ? 0 : systemAt + system.length));
}

function createChooser(engine: Engine, { options, plan }: Saying): (logits: Float32Array) => number {
  const { endTokenIds, leaveTokenIds, tokenizer } = engine.parts;
  const random = createRandom(options.seed);
  const seen = new Set(plan.flatMap(({ ids }) => ids));
  for (const id of endTokenIds) seen.delete(id);
  const banned = new Set(options.mayLeave ? [] : leaveTokenIds);
  return (logits) => {
    // A copy, since they may be a view of the runtime's memory; without padding of the vocabulary.
    const known = logits.slice(0, tokenizer.largestId + 1);
    const id = sampleToken(known, { sampling: engine.options.sampling, seen, banned, random });
    if (!Number.isFinite(logits[id])) throw notFinite();
    if (!endTokenIds.includes(id)) seen.add(id);
    return id;
  };
}

/**
 * States are checked when they are read; logits that are not finite show a fault in states that were not asked for.
 */
function notFinite(): EntrainError {
  return new EntrainError(
    'STATE_NOT_FINITE',
    'The logits of a token hold NaN or infinity, expected finite numbers; use a float32 export of the model.',
  );
}

function finishOf({ parts }: Engine, id: number): 'stop' | 'leave' | undefined {
  if (parts.leaveTokenIds.includes(id)) return 'leave';
  return parts.endTokenIds.includes(id) || parts.turnTokenIds.includes(id) ? 'stop' : undefined;
}
