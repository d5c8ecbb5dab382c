/**
 * Publishes what the coordinator writes into the run's stream: what each agent may know of an episode, and events.
 */
import { isBasis } from '../protocol/branches.ts';
import {
  eventSchema,
  parseMessage,
  type AgentSpec,
  type Alternative,
  type RunEvent,
  type Utterance,
} from '../protocol/nats-messages.ts';
import { EntrainError } from '../protocol/errors.ts';
import { READER_SEATING } from '../protocol/stream/frames.ts';
import type { Study } from '../protocol/study.ts';
import { names, subjects } from '../protocol/subjects.ts';
import type { Logger } from '../process/log.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { lastStored, publishOnce, publishStored, type PublishControls } from '../transport/nats/streams.ts';
import { digestOf, mintGrant } from '../transport/stream/auth/role-grant.ts';
import type { Fleet, FleetAgent } from './fleet.ts';
import { couplingOf } from './conditions.ts';
import { plannedBranches, plannedGroups, type PlannedEpisode } from './plan.ts';
import type { RoleHolder } from './state/run-state.ts';

export interface PublishOptions {
  run: string;
  study: Study;
  fleet: Fleet;
  link: NatsLink;
  /** When the run was begun, as in run.json. */
  startedAtMs: number;
  /** Ed25519 private key (PEM) that signs role grants. */
  privateKey: string;
  /** Throws when this coordinator may publish nothing any more. */
  signal?: Pick<AbortSignal, 'throwIfAborted'>;
  log: Logger;
}

interface SpecPart {
  episode: PlannedEpisode;
  index: number;
  holders: readonly RoleHolder[];
  history: readonly Utterance[];
  /** Alternatives in the history whose reply states the agent still has to send. */
  alternatives: readonly Alternative[];
  control: AgentSpec['control'];
}

/** A spec may be published again: an agent plays an episode once in each of its lives. */
export async function publishSpec(options: PublishOptions, part: SpecPart): Promise<void> {
  const { run, study, fleet, link, startedAtMs } = options;
  const { episode, index, holders } = part;
  const agents = holders.map(({ agent }) => agent);
  const agent = agents[index] ?? '';
  const speakers = episode.order.length;
  const speaks = index < speakers;
  const { maxTurns, minTurns, maxTokens, steps } = study;
  const spec: Omit<AgentSpec, 'grant'> = {
    run,
    episode: episode.id,
    pair: episode.pair,
    condition: episode.condition,
    ...couplingOf(study, episode, index),
    order: agents.slice(0, speakers),
    role: speaks ? index : speakers - 1,
    speaks,
    seating: (holders[index]?.seating ?? 0) + (speaks ? 0 : READER_SEATING),
    models: comparedAgents(episode, agents).map((id) => memberOf(fleet, id).model),
    seed: episode.seed,
    startedAtMs,
    limits: { maxTurns, minTurns, maxTokens },
    study: { seed: study.seed, groups: plannedGroups(study) },
    steps,
    branches: plannedBranches(study, episode),
    keepLayers: isBasis(study, episode.round) ? (study.branches?.patch?.layers ?? []) : [],
    alternatives: [...part.alternatives],
    control: part.control,
    history: [...part.history],
  };
  const subject = subjects.spec(run, episode.id, agent);
  const body: AgentSpec = { ...spec, grant: grantFor(options, spec, agent) };
  await publishStored(link.connection, { subject, body, ...controlsOf(options) });
}

const controlsOf = ({ log, signal }: PublishOptions): PublishControls => (signal ? { log, signal } : { log });

/** The signed role grant against which the analyzer checks the agent's frames. */
function grantFor(options: PublishOptions, spec: Omit<AgentSpec, 'grant'>, agent: string): string {
  const { run, episode, role, seating, scenario, study, limits } = spec;
  const { layers, dims } = memberOf(options.fleet, agent).model;
  const episodeDigest = digestOf({ ...spec, scenario: scenario.id });
  const place = { kind: 'role', run, episode, agent, role, seating } as const;
  const plan = { seed: study.seed, groups: study.groups, minTurns: limits.minTurns };
  return mintGrant(options.privateKey, { ...place, layers, dims, episodeDigest, plan });
}

/** Agents whose states are compared: the speakers, with the reader in place of the last one if there is a reader. */
function comparedAgents({ order, reader }: PlannedEpisode, agents: string[]): string[] {
  return reader === undefined ? agents : [...agents.slice(0, order.length - 1), agents.at(-1) ?? ''];
}

/** @param time counts the events that may happen more than once */
export async function publishEvent(options: PublishOptions, event: RunEvent, time = 1): Promise<void> {
  const name = time === 1 ? eventName(event) : `${eventName(event)}.${time}`;
  const subject =
    'episode' in event
      ? subjects.episodeEvent(options.run, event.episode, name)
      : subjects.event(options.run, name);
  const { connection } = options.link;
  const message = { subject, body: event, ...controlsOf(options) };
  if (await publishOnce(connection, message)) return;
  const held = await lastStored(connection, { stream: names.stream(options.run), subject });
  if (!isEvent(held)) await publishStored(connection, message);
}

/** A peer can have an answer of the server stored on the subject of an event; readers ignore it. */
function isEvent(text: string): boolean {
  try {
    parseMessage(eventSchema, text, { code: 'MESSAGE_INVALID', what: 'An event' });
    return true;
  } catch {
    return false;
  }
}

/** A name that is unique for events that may happen only once. */
function eventName(event: RunEvent): string {
  if (event.type === 'episode-taken-over')
    return `${event.type}.${event.episode}.${event.role}.${event.agent}`;
  if (event.type === 'episode-resumed')
    return `${event.type}.${event.episode}.${event.agent}.${event.instance}`;
  return 'episode' in event ? `${event.type}.${event.episode}` : event.type;
}

function memberOf(fleet: Fleet, agent: string): FleetAgent {
  const member = fleet.agents.get(agent);
  if (member) return member;
  throw new EntrainError(
    'AGENTS_MISSING',
    `Agent "${agent}" is not in the fleet: expected it to announce itself before the run.`,
  );
}
