/** What a coordinator that starts again has to know before it does anything: who has the roles of the run now, by its stream. */
import type { AgentModel } from '../protocol/control.ts';
import { agentsOf, type Study } from '../protocol/study.ts';
import type { Logger } from '../process/log.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { consume } from '../transport/nats/streams.ts';
import { ABSENT, type Fleet } from './fleet.ts';
import { planEpisodes } from './plan.ts';
import { initialState, openEpisodes, type RunState } from './run-state.ts';
import { startConsumer } from './run-consumer.ts';
import { reduceMessage } from './run-study.ts';

/** Without whom a run that has begun cannot go on. */
export async function recallNeeded(
  link: NatsLink,
  of: { run: string; study: Study; log: Logger },
): Promise<Set<string>> {
  return agentsNeeded(await readState(link, of), of.study);
}

/** Those whom the study names and those who took a role over; not who was replaced, unless it has a role again. */
export function agentsNeeded(state: RunState, study: Study): Set<string> {
  const seated = openEpisodes(state).flatMap(({ now }) => now.seats.map(({ agent }) => agent));
  const named = [...agentsOf(study)].filter((agent) => !state.replaced.has(agent));
  return new Set([...named, ...seated]);
}

/** Who is not there is known by its model alone, and counts as away for as long as one may be. */
export function addAbsent(fleet: Fleet, models: Readonly<Record<string, AgentModel>>): void {
  for (const [agent, model] of Object.entries(models))
    if (!fleet.agents.has(agent)) fleet.agents.set(agent, { model, instance: ABSENT, atOnce: 1 });
}

async function readState(
  link: NatsLink,
  { run, study, log }: { run: string; study: Study; log: Logger },
): Promise<RunState> {
  const unread = (): void => undefined;
  const to = { log, folder: { event: unread, utterance: unread, alternative: unread } };
  let state = initialState(planEpisodes(study), study.maxTurns);
  const { stored, ...place } = await startConsumer(link, run);
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
