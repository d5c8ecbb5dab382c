/**
 * Counterfactual branches from one agent's side. The speaker of a turn that branches sends the states of what it said
 * and of its alternatives, what moved its state in other versions, and publishes the words of all of them, before the
 * utterance itself, so that a reader of the utterance has all of them. Each listener then sends the state in which it
 * would have replied to each version.
 */
import { countVersions, isBranched, versionsOf } from '../protocol/branches.ts';
import type { AgentSpec, Alternative } from '../protocol/nats-messages.ts';
import type { Branch, BranchesAsked, Dialogue, ModelInfo, Patched, TurnState } from '../model/types.ts';
import { branchFrame, type BranchKind, type FrameSink } from './frames.ts';
import type { KeptStates } from './kept-states.ts';
import type { Move, MoveStates } from './patches.ts';

export interface BranchPorts {
  agent: string;
  model: { info: Pick<ModelInfo, 'dims'> };
  frames: FrameSink;
  /** The agent's own states, and what moves later ones by them. */
  kept: Pick<KeptStates, 'keep'>;
  moves: MoveStates;
  /** Stores an alternative once; another life of the role would have said the same words. */
  sayAlternative(alternative: Alternative): Promise<void>;
}

interface Place {
  spec: AgentSpec;
  turn: number;
  ports: BranchPorts;
}

const OTHER_WORDS: BranchKind = { kind: 'alternative' };

/** How the state of a version was moved, as its frames and its alternative say it. */
const movedBy = (move: Move): BranchKind =>
  move.kind === 'interchange'
    ? { kind: move.kind, layer: move.layer, donor: move.donor }
    : { kind: move.kind, layer: move.layer, size: move.size };

const kindOf = ({ kind, layer, size, donor }: Alternative): BranchKind =>
  kind === undefined
    ? OTHER_WORDS
    : {
        kind,
        ...(layer === undefined ? {} : { layer }),
        ...(size === undefined ? {} : { size }),
        ...(donor === undefined ? {} : { donor }),
      };

/** A version as it was said, with what moved the speaker's state. */
export type SaidVersion = Pick<Branch, 'k' | 'text' | 'finish' | 'tokens'> & { move?: Move };

/** What all frames of one version say. */
const placeOf = ({ spec, turn, ports }: Place, k: number) => ({
  run: spec.run,
  episode: spec.episode,
  turn,
  seating: spec.seating,
  k,
  tNs: ports.frames.sinceEpochNs(),
});

/**
 * What is to be said besides; the versions are collected, and their frames sent.
 * @param at with the speaker's state before it speaks, once it is known
 */
export async function askBranches(
  at: Place & { own(): TurnState },
  versions: SaidVersion[],
): Promise<BranchesAsked | undefined> {
  const { spec, turn, ports } = at;
  const all = versionsOf(spec, turn);
  if (all.length === 0) return undefined;
  const moves = await ports.moves(spec, turn);
  return {
    seeds: all.flatMap(({ kind, seed }) => (kind === 'alternative' ? [seed] : [])),
    patches: moves.map((move) => {
      const { k, layer } = move;
      return move.kind === 'interchange' ? { k, layer, state: move.state } : { k, layer, delta: move.delta };
    }),
    onBranch: (branch) => {
      if (branch.k === 0) sendBefore(at, at.own());
      sendBranch(at, branch);
      versions.push(branch);
    },
    onPatched: (patched) => {
      const move = moves.find(({ k }) => k === patched.k);
      if (move) sendMoved(at, patched, { move, own: at.own() });
      versions.push({ ...patched, ...(move ? { move } : {}) });
    },
  };
}

/** Sends the states of an utterance that was said (k = 0) or of an alternative. */
function sendBranch(at: Place, branch: Branch): void {
  const { k, layers, text, end, mean, bystander } = branch;
  const states = { end, mean, bystander };
  for (const [state, data] of Object.entries(states)) {
    const words = state === 'end' ? { text } : {};
    at.ports.frames.append(
      branchFrame({ state, layers, data, ...words }, { ...placeOf(at, k), ...OTHER_WORDS }),
    );
  }
}

/**
 * Sends what moved the state of a version, as it was drawn and as it was added, with features of what was then said.
 * @param own the speaker's state that was moved
 */
function sendMoved(at: Place, { k, text }: Patched, { move, own }: { move: Move; own: TurnState }): void {
  const layers = [move.layer];
  const place = { ...placeOf(at, k), ...movedBy(move) };
  const { frames } = at.ports;
  if (move.kind === 'interchange') {
    const before = layerOf(own, move.layer);
    const data = move.state.map((value, d) => value - (before[d] as number));
    frames.append(branchFrame({ state: 'delta', layers, data, text }, place));
    return;
  }
  // All states of a stream have the dims of its model.
  const drawn = new Float32Array(move.delta.length);
  drawn.set(move.coefficients);
  frames.append(branchFrame({ state: 'coefficients', layers, data: drawn, text }, place));
  frames.append(branchFrame({ state: 'delta', layers, data: move.delta }, place));
}

/** Sends the speaker's states before it speaks at the layers whose states are exchanged. */
function sendBefore(at: Place, own: TurnState): void {
  const { patch } = at.spec.branches ?? {};
  if (patch?.kind !== 'interchange') return;
  const { layers } = patch;
  const dims = own.data.length / own.layers.length;
  const data = new Float32Array(layers.length * dims);
  for (const [row, layer] of layers.entries()) data.set(layerOf(own, layer), row * dims);
  at.ports.frames.append(
    branchFrame({ state: 'before', layers, data }, { ...placeOf(at, 0), kind: patch.kind }),
  );
}

/** [dims] */
export function layerOf({ layers, data }: TurnState, layer: number): Float32Array {
  const dims = data.length / layers.length;
  const row = layers.indexOf(layer);
  return data.slice(row * dims, (row + 1) * dims);
}

/** Publishes the versions of a turn; where it should have more of them, from which on they were skipped. */
export async function sayAlternatives(
  { spec, turn, ports }: Place,
  versions: readonly SaidVersion[],
): Promise<void> {
  if (!isBranched(spec, turn)) return;
  const at = { episode: spec.episode, turn, agent: ports.agent };
  const skipped = (k: number): Alternative => ({ ...at, k, text: '', finish: 'skipped', tokens: 0 });
  const said: Alternative[] = versions
    .filter(({ k }) => k > 0)
    .toSorted((a, b) => a.k - b.k)
    .map(({ k, text, finish, tokens, move }) => {
      return { ...at, k, text, finish, tokens, ...(move ? movedBy(move) : {}) };
    });
  const lacks = said.length < countVersions(spec.branches);
  for (const alternative of lacks ? [...said, skipped(said.length + 1)] : said)
    await ports.sayAlternative(alternative);
}

/**
 * Sends a listener's states after what was said, which its dialogue already holds, and after each other version. If its
 * context is nearly full it sends one frame of zeros instead, with the state `skipped`.
 */
export async function sendReplies(
  at: Place,
  heard: { alternatives: readonly Alternative[]; dialogue: Dialogue; script: string | undefined },
): Promise<void> {
  const { spec, ports } = at;
  const { frames } = ports;
  const { alternatives, dialogue, script } = heard;
  const said = alternatives.filter(({ finish }) => finish !== 'skipped');
  const end = alternatives.find(({ finish }) => finish === 'skipped')?.k ?? countVersions(spec.branches) + 1;
  if (said.length === 0 || said.length !== end - 1) return;
  await frames.room('turn');
  const replies = await dialogue.replyStates(
    said.map(({ text }) => text),
    script,
  );
  const skipped = { state: 'skipped', layers: [1], data: new Float32Array(ports.model.info.dims) };
  const states = replies?.states.map((data) => ({ state: 'reply', layers: replies.layers, data }));
  for (const [k, state] of (states ?? [skipped]).entries())
    frames.append(
      branchFrame(state, {
        ...placeOf(at, k),
        ...(k === 0 ? OTHER_WORDS : kindOf(said[k - 1] as Alternative)),
      }),
    );
}
