/** Finds the agents and the analyzer by their announcements on NATS. */
import { announcedModel, type AgentModel } from '../protocol/agent-model.ts';
import { EntrainError } from '../protocol/errors.ts';
import { AGENT_SERVICE, ANALYZER_SERVICE } from '../protocol/subjects.ts';
import type { Clock } from '../process/clock.ts';
import { findServices } from '../transport/nats/services.ts';
import type { NatsLink } from '../transport/nats/connection.ts';

export interface FleetAgent {
  model: AgentModel;
  /** Id of the service instance, which changes with a restart. */
  instance: string;
  /** Number of episodes that it plays at once. */
  atOnce: number;
}

/** Instance of an agent that is known from the run but does not answer. */
export const ABSENT = '';

/** An analyzer as announced on NATS; only analyzers may announce one. */
export interface FleetAnalyzer {
  id: string;
  /** URL of its activation stream. */
  streamUrl: string;
  /** Fingerprint of its certificate; undefined if it serves without TLS. */
  fingerprint?: string | undefined;
}

export interface Fleet {
  agents: Map<string, FleetAgent>;
  /** The analyzer that receives the states of the run. */
  analyzer: FleetAnalyzer;
}

export async function listAgents(link: NatsLink): Promise<Map<string, FleetAgent>> {
  const services = await findServices(link, AGENT_SERVICE);
  return new Map(
    services.map(({ id: instance, metadata }) => [
      metadata['agent'] ?? '',
      { instance, model: announcedModel(metadata), atOnce: Number(metadata['atOnce'] ?? 1) },
    ]),
  );
}

/** Sorted by name, so that each coordinator chooses the same one. */
export async function listAnalyzers(link: NatsLink): Promise<FleetAnalyzer[]> {
  const found = await findServices(link, ANALYZER_SERVICE);
  const analyzers = found.flatMap(({ metadata: { id, streamUrl, fingerprint } }) =>
    id && streamUrl ? [{ id, streamUrl, fingerprint }] : [],
  );
  return analyzers.toSorted((a, b) => (a.id < b.id ? -1 : 1));
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
    const [agents, [analyzer]] = await Promise.all([listAgents(link), listAnalyzers(link)]);
    const missing = [...wanted].filter((agent) => !agents.has(agent));
    if (missing.length === 0 && analyzer) return { agents, analyzer };
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
