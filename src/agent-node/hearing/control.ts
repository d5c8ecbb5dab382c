/**
 * The listening agent behind another history. In a second dialogue it holds another episode of the scenario up to
 * the turn, reads the words of the turn there as well, and takes them back. What a measure between steps comes to with
 * these states is what the words alone give.
 *
 *   dialogue:  own episode, turns 0 … t − 1        ─▶ words of turn t ─▶ steps of role listen
 *   control:   other episode, its turns 0 … t − 1  ─▶ words of turn t ─▶ steps of role control
 */
import type { Dialogue, Model, StepStates } from '../../model/types.ts';
import type { AgentSpec } from '../../protocol/nats-messages.ts';
import { rolesGone } from '../../protocol/early-end.ts';
import { systemPrompt } from '../../protocol/scenarios/system-prompt.ts';
import { remember } from './remember-talk.ts';

export interface Control {
  /** Reads the words of a turn; no steps where the other episode ended before it. Turns come in order. */
  read(turn: number, text: string, onSteps: (states: StepStates) => void): Promise<void>;
  close(): Promise<void>;
}

/** Undefined if the study asks for none, or nothing is heard. */
export async function openControl(spec: AgentSpec, model: Pick<Model, 'open'>): Promise<Control | undefined> {
  const { control, episode, sampling, steps, startedAtMs: atMs } = spec;
  if (!control) return undefined;
  const id = `${episode}/control`;
  const dialogue = await model.open({ id, system: systemPrompt(spec), sampling, steps, atMs });
  return follow({ ...spec, seed: control.seed, history: control.history }, dialogue);
}

/** @param other the agent's part in the other episode, with all of its turns */
function follow(other: AgentSpec, dialogue: Dialogue): Control {
  let held = 0;
  return {
    read: async (turn, text, onSteps) => {
      const before = other.history.slice(0, turn);
      if (before.length < turn || rolesGone(before, other.order.length).has(other.role)) return;
      for (const utterance of before.slice(held)) await remember(other, utterance, dialogue);
      held = turn;
      await dialogue.readAside(text, (states) => onSteps({ ...states, role: 'control' }));
    },
    close: () => dialogue.close(),
  };
}
