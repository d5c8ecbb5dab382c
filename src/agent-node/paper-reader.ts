/** The third person of `paper-reader`, the paper's control for having a part in the talk. */
import type { Dialogue, Model } from '../model/types.ts';
import type { AgentSpec, Utterance } from '../protocol/nats-messages.ts';
import { PAPER_READER } from '../protocol/study.ts';

/** In `paper-reader` the speaker's model has a second dialogue, in which it reads all turns as a third person. */
export async function openReader(spec: AgentSpec, model: Pick<Model, 'open'>): Promise<Dialogue | undefined> {
  if (spec.condition !== PAPER_READER) return undefined;
  const { episode, sampling, startedAtMs: atMs } = spec;
  return model.open({ id: `${episode}/reader`, system: readerPrompt(spec), sampling, steps: null, atMs });
}

export async function readAlong(reader: Dialogue | undefined, { finish, text }: Utterance): Promise<void> {
  if (finish !== 'absent') await reader?.heard(text, () => undefined);
}

/** What the third person of `paper-reader` is told: the scenario, and nothing of personas, goals and secrets. */
function readerPrompt({ scenario, order }: Pick<AgentSpec, 'scenario' | 'order'>): string {
  const others = order.length === 2 ? 'two other people' : 'other people';
  const place = scenario.text.trim() === '' ? [] : [`Scenario: ${scenario.text.trim()}`];
  return [`You are reading an interaction between ${others}.`, ...place].join('\n');
}
