/**
 * Counterfactual branches from one agent's side. The speaker of a turn that branches sends the states of what it said
 * and of its alternatives, what moved its state in other versions, and publishes the words of all of them, before the
 * utterance itself, so that a reader of the utterance has all of them. Each listener then sends the state in which it
 * would have replied to each version.
 */
import { countVersions, isBranched, versionsOf, type Version } from '../protocol/branches.ts';
import type { AgentSpec, Alternative } from '../protocol/nats-messages.ts';
import type { Branch, Dialogue, ModelInfo, Patched } from '../model/types.ts';
import { branchFrame, type BranchKind, type FrameSink } from './frames.ts';
import type { KeptStates } from './kept-states.ts';
import type { Perturb, Perturbation } from './patches.ts';

export interface BranchPorts {
  agent: string;
  model: { info: Pick<ModelInfo, 'dims'> };
  frames: FrameSink;
  /** The agent's own states, and the perturbations made of them. */
  kept: Pick<KeptStates, 'keep'>;
  perturb: Perturb;
  /** Stores an alternative once; another life of the role would have said the same words. */
  sayAlternative(alternative: Alternative): Promise<void>;
}

interface Place {
  spec: AgentSpec;
  turn: number;
  ports: BranchPorts;
}

const OTHER_WORDS: BranchKind = { kind: 'alternative' };
const kindOf = (version: Version | undefined): BranchKind =>
  version === undefined || version.kind === 'alternative'
    ? OTHER_WORDS
    : { kind: version.kind, layer: version.layer, size: version.size };

const movedBy = (version: Version | undefined): Partial<BranchKind> =>
  version?.kind === 'alternative' ? {} : kindOf(version);

/** What all frames of one version say. */
const placeOf = ({ spec, turn, ports }: Place, k: number) => ({
  run: spec.run,
  episode: spec.episode,
  turn,
  seating: spec.seating,
  k,
  tNs: ports.frames.sinceEpochNs(),
});

/** Sends the states of an utterance that was said (k = 0) or of an alternative. */
export function sendBranch(at: Place, branch: Branch): void {
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
 */
export function sendPatched(
  at: Place,
  { k, coefficients, delta, ...version }: Perturbation,
  text: string,
): void {
  const layers = [version.layer];
  const place = { ...placeOf(at, k), ...kindOf({ k, ...version }) };
  const { frames } = at.ports;
  // All states of a stream have the dims of its model.
  const drawn = new Float32Array(delta.length);
  drawn.set(coefficients);
  frames.append(branchFrame({ state: 'coefficients', layers, data: drawn, text }, place));
  frames.append(branchFrame({ state: 'delta', layers, data: delta }, place));
}

/** Publishes the versions of a turn; where it should have more of them, from which on they were skipped. */
export async function sayAlternatives(
  { spec, turn, ports }: Place,
  versions: readonly (Branch | Patched)[],
): Promise<void> {
  if (!isBranched(spec, turn)) return;
  const at = { episode: spec.episode, turn, agent: ports.agent };
  const planned = versionsOf(spec, turn);
  const skipped = (k: number): Alternative => ({ ...at, k, text: '', finish: 'skipped', tokens: 0 });
  const said: Alternative[] = versions
    .filter(({ k }) => k > 0)
    .toSorted((a, b) => a.k - b.k)
    .map(({ k, text, finish, tokens }) => ({ ...at, k, text, finish, tokens, ...movedBy(planned[k - 1]) }));
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
  const { spec, turn, ports } = at;
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
  const versions = versionsOf(spec, turn);
  const skipped = { state: 'skipped', layers: [1], data: new Float32Array(ports.model.info.dims) };
  const states = replies?.states.map((data) => ({ state: 'reply', layers: replies.layers, data }));
  for (const [k, state] of (states ?? [skipped]).entries())
    frames.append(branchFrame(state, { ...placeOf(at, k), ...kindOf(versions[k - 1]) }));
}
