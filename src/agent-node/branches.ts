/**
 * Counterfactual branches from one agent's side. The speaker of a turn that branches sends the states of what it said
 * and of its alternatives, and publishes the alternatives, all before the utterance itself, so that a reader of the
 * utterance has all of them. Each listener then sends the state in which it would have replied to each version.
 */
import { isBranched } from '../protocol/branches.ts';
import type { AgentSpec, Alternative } from '../protocol/nats-messages.ts';
import type { Branch, Dialogue, ModelInfo } from '../model/types.ts';
import { branchFrame, type FrameSink } from './frames.ts';

export interface BranchPorts {
  agent: string;
  model: { info: Pick<ModelInfo, 'dims'> };
  frames: FrameSink;
  /** Stores an alternative once; another life of the role would have said the same words. */
  sayAlternative(alternative: Alternative): Promise<void>;
}

interface Place {
  spec: AgentSpec;
  turn: number;
  ports: BranchPorts;
}

/** Sends the states of an utterance that was said (k = 0) or of an alternative. */
export function sendBranch({ spec, turn, ports }: Place, branch: Branch): void {
  const { frames } = ports;
  const { k, layers, text, end, mean, bystander } = branch;
  const at = { run: spec.run, episode: spec.episode, turn, seating: spec.seating, k };
  const states = { end, mean, bystander };
  for (const [state, data] of Object.entries(states)) {
    const place = { ...at, tNs: frames.sinceEpochNs() };
    const words = state === 'end' ? { text } : {};
    frames.append(branchFrame({ state, layers, data, ...words }, place));
  }
}

/** Publishes the alternatives of a turn; for a turn that should branch and has none, that it was skipped. */
export async function sayAlternatives(
  { spec, turn, ports }: Place,
  branches: readonly Pick<Branch, 'k' | 'text' | 'finish' | 'tokens'>[],
): Promise<void> {
  if (!isBranched(spec, turn)) return;
  const at = { episode: spec.episode, turn, agent: ports.agent };
  const said: Alternative[] = branches
    .filter(({ k }) => k > 0)
    .map(({ k, text, finish, tokens }) => ({ ...at, k, text, finish, tokens }));
  const skipped: Alternative = { ...at, k: 1, text: '', finish: 'skipped', tokens: 0 };
  for (const alternative of branches.length > 0 ? said : [skipped]) await ports.sayAlternative(alternative);
}

/**
 * Sends a listener's states after what was said, which its dialogue already holds, and after each alternative. If its
 * context is nearly full it sends one frame of zeros instead, with the state `skipped`.
 */
export async function sendReplies(
  { spec, turn, ports }: Place,
  heard: { alternatives: readonly Alternative[]; dialogue: Dialogue; script: string | undefined },
): Promise<void> {
  const { frames } = ports;
  const { alternatives, dialogue, script } = heard;
  const said = alternatives.filter(({ finish }) => finish !== 'skipped');
  if (said.length === 0 || said.length !== spec.branches?.alternatives) return;
  await frames.room('turn');
  const replies = await dialogue.replyStates(
    said.map(({ text }) => text),
    script,
  );
  const at = { run: spec.run, episode: spec.episode, turn, seating: spec.seating };
  const skipped = { state: 'skipped', layers: [1], data: new Float32Array(ports.model.info.dims) };
  const states = replies?.states.map((data) => ({ state: 'reply', layers: replies.layers, data }));
  for (const [k, state] of (states ?? [skipped]).entries())
    frames.append(branchFrame(state, { ...at, k, tNs: frames.sinceEpochNs() }));
}
