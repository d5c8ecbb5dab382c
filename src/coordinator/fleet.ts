/** Finds the agents and the analyzer by their announcements on NATS. */
import { announcedModel, type AgentModel } from '../protocol/agent-model.ts';
import { EntrainError } from '../protocol/errors.ts';
import { AGENT_SERVICE, ANALYZER_SERVICE } from '../protocol/subjects.ts';
import { announcedMajor, PROTOCOL_VERSION } from '../protocol/version.ts';
import type { Clock } from '../process/clock.ts';
import { findServices, type ServiceRecord } from '../transport/nats/services.ts';
import type { NatsLink } from '../transport/nats/connection.ts';

export interface FleetAgent {
  model: AgentModel;
  /** Id of the service instance, which changes with a restart. */
  instance: string;
  /** Number of episodes that it plays at once. */
  atOnce: number;
  /** Its machine, its version, and where its model runs; undefined for one that is known from a run alone. */
  about?: { machine: string; version: string; provider: string };
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

/** Where the programs of the fleet are asked for. */
export interface FleetSource {
  agents(): Promise<{ agents: Map<string, FleetAgent>; strangers: Strangers }>;
  analyzers(): Promise<{ analyzers: FleetAnalyzer[]; strangers: Strangers }>;
}

/** Programs of another major protocol version, by name: what they speak. They are asked nothing. */
export type Strangers = ReadonlyMap<string, number>;

/** The agents, and those of another protocol version that are not there in this one. */
export async function listAgents(
  link: NatsLink,
): Promise<{ agents: Map<string, FleetAgent>; strangers: Strangers }> {
  const { spoken, strangers } = await findSpoken(link, AGENT_SERVICE, 'agent');
  const agents = new Map(
    spoken.map(({ id: instance, version, metadata }) => [
      metadata['agent'] ?? '',
      {
        instance,
        model: announcedModel(metadata),
        atOnce: Number(metadata['atOnce'] ?? 1),
        about: { machine: metadata['machine'] ?? '', version, provider: metadata['provider'] ?? '' },
      },
    ]),
  );
  return { agents, strangers: new Map([...strangers].filter(([agent]) => !agents.has(agent))) };
}

/** The analyzers sorted by name, so that each coordinator chooses the same one. */
export async function listAnalyzers(
  link: NatsLink,
): Promise<{ analyzers: FleetAnalyzer[]; strangers: Strangers }> {
  const { spoken, strangers } = await findSpoken(link, ANALYZER_SERVICE, 'id');
  const analyzers = spoken.flatMap(({ metadata: { id, streamUrl, fingerprint } }) =>
    id && streamUrl ? [{ id, streamUrl, fingerprint }] : [],
  );
  return { analyzers: analyzers.toSorted((a, b) => (a.id < b.id ? -1 : 1)), strangers };
}

async function findSpoken(
  link: NatsLink,
  service: string,
  name: string,
): Promise<{ spoken: ServiceRecord[]; strangers: Strangers }> {
  const found = await findServices(link, service);
  const majorOf = ({ metadata }: ServiceRecord): number => announcedMajor(metadata['protocol']);
  const spoken = found.filter((one) => majorOf(one) === PROTOCOL_VERSION.major);
  const others = found.filter((one) => majorOf(one) !== PROTOCOL_VERSION.major);
  return { spoken, strangers: new Map(others.map((one) => [one.metadata[name] ?? '', majorOf(one)])) };
}

/**
 * Waits until every agent and an analyzer have announced themselves.
 * @throws EntrainError `AGENTS_MISSING`, `ANALYZER_MISSING`; `VERSION_MISMATCH` as soon as one that is missing is there
 *   in another protocol version
 */
export async function awaitFleet(
  from: FleetSource,
  wanted: ReadonlySet<string>,
  options: { timeoutMs: number; clock: Clock },
): Promise<Fleet> {
  const deadlineMs = options.clock.monotonicMs() + options.timeoutMs;
  for (;;) {
    const [{ agents, strangers }, found] = await Promise.all([from.agents(), from.analyzers()]);
    const [analyzer] = found.analyzers;
    const missing = [...wanted].filter((agent) => !agents.has(agent));
    if (missing.length === 0 && analyzer) return { agents, analyzer };
    const older = missing
      .filter((agent) => strangers.has(agent))
      .map((agent) => otherVersion('agent', agent, strangers));
    if (!analyzer)
      older.push(...[...found.strangers.keys()].map((id) => otherVersion('analyzer', id, found.strangers)));
    if (older[0]) throw older[0];
    if (options.clock.monotonicMs() > deadlineMs) throw absent(missing, options.timeoutMs);
  }
}

export function otherVersion(kind: 'agent' | 'analyzer', name: string, strangers: Strangers): EntrainError {
  const major = strangers.get(name);
  return new EntrainError(
    'VERSION_MISMATCH',
    `The ${kind} "${name}" speaks version ${major} of the protocol, this coordinator version ${PROTOCOL_VERSION.major}: use the same release of entrain for all programs of a run.`,
  );
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
