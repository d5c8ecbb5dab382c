/**
 * Decides who may speak which turn, as a pure reduction of the run's stream that agents, coordinator and `entrain
 * verify` share. The subject of an utterance names its publisher, and nats-server lets no other user publish there.
 * The utterance of a turn is the first in stream order whose publisher had the role of the turn at that point, after
 * all earlier turns were spoken. The alternatives of a turn that branches come before its utterance, from the same
 * publisher.
 *
 *   stream ─┬─▶ event         floorsAfter
 *           ├─▶ alternative   alternativeFault, floorsBeside
 *           └─▶ utterance     turnFault, floorsWith
 */
import { countVersions, isBranched, type BranchPlan } from './branches.ts';
import {
  alternativeSchema,
  parseMessage,
  utteranceSchema,
  type Alternative,
  type RunEvent,
  type Utterance,
} from './nats-messages.ts';
import { EntrainError } from './errors.ts';
import { endOfTalk, rolesGone } from './early-end.ts';
import { storedKind } from './subjects.ts';

/** `seq`: place in the run's stream, if known. */
export type PlacedAlternative = Alternative & { seq?: number | undefined };

/** The state of an episode: which agents have its roles, and how many turns were spoken. */
export interface Floor extends BranchPlan {
  /** Agents by role: the speakers in order, then the reader if there is one. */
  agents: readonly string[];
  speakers: number;
  maxTurns: number;
  said: readonly Pick<Utterance, 'turn' | 'finish'>[];
  /** Alternatives of the next turn in stream order, each from the agent that had its role when it came. */
  alternatives: readonly PlacedAlternative[];
}

/** By episode; finished episodes are left out. */
export type Floors = ReadonlyMap<string, Floor>;

export const NO_FLOORS: Floors = new Map();

export function floorsAfter(floors: Floors, event: RunEvent): Floors {
  if (!('episode' in event)) return floors;
  const known = floors.get(event.episode);
  switch (event.type) {
    case 'episode-started': {
      if (known) return floors;
      const { order, reader, maxTurns = Infinity, seed, branches } = event;
      const agents = reader === undefined ? order : [...order, reader];
      const begun = { agents, speakers: order.length, maxTurns, said: [], seed, branches, alternatives: [] };
      return withFloor(floors, event.episode, begun);
    }
    case 'episode-taken-over': {
      if (known?.agents[event.role] !== event.lost) return floors;
      const agents = known.agents.with(event.role, event.agent);
      return withFloor(floors, event.episode, { ...known, agents });
    }
    case 'episode-finished': {
      if (!known) return floors;
      const rest = new Map(floors);
      rest.delete(event.episode);
      return rest;
    }
    case 'episode-resumed':
      return floors;
  }
}

/** Why an utterance does not count as the turn that it names; undefined if it counts. */
export function turnFault(
  floor: Floor | undefined,
  { turn, agent }: Pick<Utterance, 'turn' | 'agent'>,
): string | undefined {
  if (!floor) return 'its episode is not running';
  const spoken = floor.said.length;
  if (turn < spoken) return 'the turn was spoken before';
  if (endOfTalk(floor.said, floor) !== undefined) return 'the episode has no such turn';
  if (turn > spoken) return `turn ${spoken} comes first`;
  return roleFault(floor, { turn, agent });
}

function roleFault(floor: Floor, { turn, agent }: Pick<Utterance, 'turn' | 'agent'>): string | undefined {
  const role = turn % floor.speakers;
  return floor.agents[role] === agent
    ? undefined
    : `agent "${agent}" did not have role ${role} of the episode`;
}

/** The state after an utterance that counts. */
export function floorsWith(
  floors: Floors,
  { episode, turn, finish }: Pick<Utterance, 'episode' | 'turn' | 'finish'>,
): Floors {
  const floor = floors.get(episode);
  if (!floor) return floors;
  return withFloor(floors, episode, { ...floor, said: [...floor.said, { turn, finish }], alternatives: [] });
}

/**
 * Why an alternative does not count; undefined if it does. It must belong to the next turn, which must branch, and
 * come from the agent with the role of that turn. It no longer counts if another agent takes the role over and speaks
 * the turn.
 */
export function alternativeFault(
  floor: Floor | undefined,
  { turn, k, agent }: Pick<Alternative, 'turn' | 'k' | 'agent'>,
): string | undefined {
  if (!floor) return 'its episode is not running';
  const { said, speakers, alternatives } = floor;
  if (turn !== said.length) return `turn ${turn} is not at hand`;
  if (endOfTalk(said, floor) !== undefined || rolesGone(said, speakers).has(turn % speakers))
    return 'nobody speaks the turn';
  if (!isBranched(floor, turn)) return `turn ${turn} does not branch`;
  if (k > countVersions(floor.branches)) return `the turn has no alternative ${k}`;
  if (alternatives.some((known) => known.k === k && known.agent === agent))
    return `alternative ${k} was said before`;
  return roleFault(floor, { turn, agent });
}

/**
 * Alternatives of an utterance by `k`, to be called before `floorsWith`. An agent that takes the role over before the
 * utterance says all of them anew, so those of another agent do not count.
 */
export function alternativesOf(floor: Floor | undefined, agent: string): PlacedAlternative[] {
  const own = floor?.alternatives.filter((alternative) => alternative.agent === agent) ?? [];
  return own.toSorted((a, b) => a.k - b.k);
}

/** The state after an alternative that counts. */
export function floorsBeside(floors: Floors, alternative: PlacedAlternative): Floors {
  const floor = floors.get(alternative.episode);
  if (!floor) return floors;
  const alternatives = [...floor.alternatives, alternative];
  return withFloor(floors, alternative.episode, { ...floor, alternatives });
}

/**
 * The utterance in a stored message.
 * @throws EntrainError `MESSAGE_INVALID`, also if it names another place, agent or stream than its subject
 */
export function parseUtterance({ subject, text }: { subject: string; text: string }): Utterance {
  const about = { code: 'MESSAGE_INVALID', what: 'An utterance' } as const;
  const utterance = parseMessage(utteranceSchema, text, about);
  const place = storedKind(subject);
  const { episode, turn, agent, stream } = utterance;
  if (
    place.is === 'utterance' &&
    place.episode === episode &&
    place.turn === turn &&
    place.agent === agent &&
    stream === agent
  )
    return utterance;
  throw new EntrainError(
    'MESSAGE_INVALID',
    `An utterance of agent "${agent}" on subject ${subject} names another place than its subject: expected the episode, turn and agent of the subject, and the agent's own stream.`,
  );
}

/**
 * The alternative in a stored message.
 * @throws EntrainError `MESSAGE_INVALID`, also if it names another place or agent than its subject
 */
export function parseAlternative({ subject, text }: { subject: string; text: string }): Alternative {
  const about = { code: 'MESSAGE_INVALID', what: 'An alternative' } as const;
  const alternative = parseMessage(alternativeSchema, text, about);
  const place = storedKind(subject);
  const { episode, turn, k, agent } = alternative;
  if (
    place.is === 'alternative' &&
    place.episode === episode &&
    place.turn === turn &&
    place.k === k &&
    place.agent === agent
  )
    return alternative;
  throw new EntrainError(
    'MESSAGE_INVALID',
    `An alternative of agent "${agent}" on subject ${subject} names another place than its subject: expected the episode, turn, k and agent of the subject.`,
  );
}

const withFloor = (floors: Floors, episode: string, floor: Floor): Floors =>
  new Map(floors).set(episode, floor);
