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
  /** How many episodes it plays at once. */
  atOnce: number;
}

/** The instance of an agent that is known from the run and is not there. */
export const ABSENT = '';

/** An analyzer as it announces itself, which only analyzers may do. */
export interface FleetAnalyzer {
  id: string;
  /** Where it takes activation streams. */
  streamUrl: string;
  /** Of its certificate; undefined where it serves without TLS. */
  fingerprint?: string | undefined;
}

export interface Fleet {
  agents: Map<string, FleetAgent>;
  /** The one that the states of the run go to. */
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

/** In the order of their names, so that of several each coordinator chooses the same. */
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
