/**
 * Who may speak which turn: a pure reduction of the run's stream that agents, coordinator and `entrain verify` share.
 * The
 * subject of an utterance names its publisher, and nats-server lets nobody else publish there. A turn's utterance is
 * the
 * first in stream order whose publisher had the role of the turn at that point of the stream, once all earlier turns
 * were spoken. It knows nothing of NATS.
 *
 *   stream ─▶ floorsAfter (events) ─▶ turnFault (utterance) ─▶ floorsWith (utterance)
 */
import { parseMessage, utteranceSchema, type RunEvent, type Utterance } from './control.ts';
import { EntrainError } from './errors.ts';
import { endOfTalk } from './leaving.ts';
import { storedKind } from './subjects.ts';

/** Who has the roles of an episode now, and how many turns were spoken. */
export interface Floor {
  /** Agents by role: the speakers in their order, then the reader where there is one. */
  agents: readonly string[];
  speakers: number;
  maxTurns: number;
  said: readonly Pick<Utterance, 'turn' | 'finish'>[];
}

/** By episode; an episode that is finished has none. */
export type Floors = ReadonlyMap<string, Floor>;

export const NO_FLOORS: Floors = new Map();

export function floorsAfter(floors: Floors, event: RunEvent): Floors {
  if (!('episode' in event)) return floors;
  const known = floors.get(event.episode);
  switch (event.type) {
    case 'episode-started': {
      if (known) return floors;
      const { order, reader, maxTurns = Infinity } = event;
      const agents = reader === undefined ? order : [...order, reader];
      return withFloor(floors, event.episode, {
        agents,
        speakers: order.length,
        maxTurns,
        said: [],
      });
    }
    case 'episode-taken-over': {
      if (known?.agents[event.role] !== event.lost) return floors;
      return withFloor(floors, event.episode, {
        ...known,
        agents: known.agents.with(event.role, event.agent),
      });
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

/** Why an utterance is not the turn that it says it is; undefined when it is. */
export function turnFault(
  floor: Floor | undefined,
  { turn, agent }: Pick<Utterance, 'turn' | 'agent'>,
): string | undefined {
  if (!floor) return 'its episode is not running';
  const spoken = floor.said.length;
  if (turn < spoken) return 'the turn was spoken before';
  if (endOfTalk(floor.said, floor) !== undefined) return 'the episode has no such turn';
  if (turn > spoken) return `turn ${spoken} comes first`;
  return floor.agents[turn % floor.speakers] === agent
    ? undefined
    : `agent "${agent}" did not have role ${turn % floor.speakers} of the episode`;
}

/** After an utterance without a fault. */
export function floorsWith(
  floors: Floors,
  { episode, turn, finish }: Pick<Utterance, 'episode' | 'turn' | 'finish'>,
): Floors {
  const floor = floors.get(episode);
  if (!floor) return floors;
  return withFloor(floors, episode, { ...floor, said: [...floor.said, { turn, finish }] });
}

/**
 * Why an alternative does not count: it belongs to the turn that comes next or was spoken last, and to the agent that
 * has
 * its role. Undefined when it counts; of two with one `k` the first in stream order does.
 */
export function alternativeFault(
  floor: Floor | undefined,
  { turn, agent }: { turn: number; agent: string },
): string | undefined {
  if (!floor) return 'its episode is not running';
  const spoken = floor.said.length;
  if (turn > spoken || turn < spoken - 1) return `turn ${turn} is not at hand`;
  return floor.agents[turn % floor.speakers] === agent
    ? undefined
    : `agent "${agent}" did not have role ${turn % floor.speakers} of the episode`;
}

/**
 * The utterance of a stored message.
 * @throws EntrainError `MESSAGE_INVALID`, also where it names another place, agent or stream than its subject
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

const withFloor = (floors: Floors, episode: string, floor: Floor): Floors =>
  new Map(floors).set(episode, floor);
