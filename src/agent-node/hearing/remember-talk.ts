/** What an agent heard and said in an episode, as its dialogue holds it: whose turn is whose, and who hears it. */
import type { Dialogue, StepStates } from '../../model/types.ts';
import type { AgentSpec, Utterance } from '../../protocol/nats-messages.ts';
import { hearsTurn } from '../../protocol/scenarios/hears-turn.ts';

/** Replays what was said before this agent came (back), as it was spoken or heard then. */
export async function remember(spec: AgentSpec, utterance: Utterance, dialogue: Dialogue): Promise<void> {
  if (utterance.finish === 'absent') return isMine(spec, utterance.turn) ? undefined : dialogue.missed();
  if (isMine(spec, utterance.turn)) {
    await readScript(spec, { turn: utterance.turn, dialogue });
    return dialogue.recall(utterance.text);
  }
  if (hearsTurn(spec, utterance.turn)) return dialogue.heard(utterance.text, () => undefined);
  return dialogue.missed();
}

/** Decided by role, not by name: an earlier turn of the role may have been spoken by an agent that died. */
export function isMine({ order, role }: AgentSpec, turn: number): boolean {
  return turn % order.length === role;
}

/** Reads the agent's next script text before its turn, instead of the others' words. */
export async function readScript(
  spec: AgentSpec,
  at: { turn: number; dialogue: Dialogue; onSteps?: (states: StepStates) => void },
): Promise<void> {
  const text = scriptOf(spec, at.turn);
  const onSteps = at.onSteps ?? (() => undefined);
  if (text) await at.dialogue.heard(text, (states) => onSteps({ ...states, role: 'read' }));
}

export function scriptOf({ hears, order }: AgentSpec, turn: number): string | undefined {
  if (typeof hears === 'string' || !('script' in hears)) return undefined;
  return hears.script[Math.floor(turn / order.length)];
}
