/** What a restarted coordinator must know before it acts: which agents have roles in the run, from its stream. */
import type { AgentModel } from '../protocol/agent-model.ts';
import { agentsOf, type Study } from '../protocol/study.ts';
import type { Logger } from '../process/log.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { consume } from '../transport/nats/streams.ts';
import { ABSENT, type Fleet } from './fleet.ts';
import { planEpisodes } from './plan.ts';
import { startConsumer } from './run-consumer.ts';
import { reduceMessage } from './run-study.ts';
import { openEpisodes } from './state/decide.ts';
import { initialState, type RunState } from './state/run-state.ts';

/** Finds the agents without which a run that has begun cannot continue. */
export async function recallNeeded(
  link: NatsLink,
  of: { run: string; study: Study; consumer: string; log: Logger },
): Promise<Set<string>> {
  return agentsNeeded(await readState(link, of), of.study);
}

/**
 * Agents that the study names or that took a role over, without those that were replaced and have not come back. The
 * roles that such an agent still has are taken over once it has been away for the grace period.
 */
export function agentsNeeded(state: RunState, study: Study): Set<string> {
  const holding = openEpisodes(state).flatMap(({ now }) => now.holders.map(({ agent }) => agent));
  return new Set([...agentsOf(study), ...holding].filter((agent) => !state.replaced.has(agent)));
}

/** Adds an agent that does not answer by its model; it counts as away for as long as the grace period. */
export function addAbsent(fleet: Fleet, models: Readonly<Record<string, AgentModel>>): void {
  for (const [agent, model] of Object.entries(models))
    if (!fleet.agents.has(agent)) fleet.agents.set(agent, { model, instance: ABSENT, atOnce: 1 });
}

async function readState(
  link: NatsLink,
  { run, study, consumer, log }: { run: string; study: Study; consumer: string; log: Logger },
): Promise<RunState> {
  const unread = (): void => undefined;
  const to = { log, folder: { event: unread, utterance: unread, alternative: unread } };
  let state = initialState(planEpisodes(study), study.maxTurns);
  const { stored, ...place } = await startConsumer(link, { run, consumer });
  if (stored === 0) return state;
  await new Promise<void>((resolve, reject) => {
    const reading = consume(link.connection, {
      ...place,
      take: (message) => {
        state = reduceMessage(state, message, to);
        message.ack();
        if (message.pending === 0) resolve(reading.then(({ stop }) => stop()));
      },
    });
    reading.catch(reject);
  });
  return state;
}
