/** Who is there: the agents and the analyzer, as they announce themselves on NATS. */
import { announcedModel, type AgentModel } from '../protocol/control.ts';
import { EntrainError } from '../protocol/errors.ts';
import { AGENT_SERVICE, ANALYZER_SERVICE } from '../protocol/subjects.ts';
import type { Clock } from '../process/clock.ts';
import { findServices } from '../transport/nats/services.ts';
import type { NatsLink } from '../transport/nats/connection.ts';

export interface FleetAgent {
  model: AgentModel;
  /** Id of the service instance: another one after a restart. */
  instance: string;
}

/** The instance of an agent that is known from the run and is not there. */
export const ABSENT = '';

export interface Fleet {
  agents: Map<string, FleetAgent>;
  streamUrl: string;
}

export async function listAgents(link: NatsLink): Promise<Map<string, FleetAgent>> {
  const services = await findServices(link, AGENT_SERVICE);
  return new Map(
    services.map(({ id: instance, metadata }) => [
      metadata['agent'] ?? '',
      { instance, model: announcedModel(metadata) },
    ]),
  );
}

/** Where analyzers take activation streams. */
export async function listStreamUrls(link: NatsLink): Promise<string[]> {
  const analyzers = await findServices(link, ANALYZER_SERVICE);
  return analyzers.flatMap(({ metadata }) => metadata['streamUrl'] ?? []);
}

/**
 * Waits until every agent and an analyzer have announced themselves.
 * @throws EntrainError `AGENTS_MISSING`, `ANALYZER_MISSING`
 */
export async function awaitFleet(
  link: NatsLink,
  wanted: ReadonlySet<string>,
  options: { timeoutMs: number; clock: Clock },
): Promise<Fleet> {
  const deadlineMs = options.clock.monotonicMs() + options.timeoutMs;
  for (;;) {
    const [agents, [streamUrl]] = await Promise.all([listAgents(link), listStreamUrls(link)]);
    const missing = [...wanted].filter((agent) => !agents.has(agent));
    if (missing.length === 0 && streamUrl) return { agents, streamUrl };
    if (options.clock.monotonicMs() > deadlineMs) throw absent(missing, options.timeoutMs);
  }
}

function absent(missing: string[], timeoutMs: number): EntrainError {
  const waited = `within ${timeoutMs / 1000} s`;
  if (missing.length === 0) {
    return new EntrainError(
      'ANALYZER_MISSING',
      `No analyzer announced itself ${waited}: start one with "entrain analyzer" on the same NATS server.`,
    );
  }
  return new EntrainError(
    'AGENTS_MISSING',
    `The study names agents that did not announce themselves ${waited} (${missing.join(', ')}): start each with "entrain agent --id ID --model DIR" on the same NATS server.`,
  );
}
