/**
 * Joins the steps of a speaker and of its listeners, turn by turn, in whatever order their frames arrive. A stream may
 * be in several episodes at once. A turn is over for a stream when the stream goes on to a later turn of the episode,
 * or has begun so many episodes since that this one has ended; when it is over for both sides, their steps are aligned
 * and passed on.
 *
 *   stream a:  turn 0 · steps 0 (speak) · steps 1 (listen) · turn 2 …        over for a: 0, 1 …
 *   stream b:           steps 0 (listen) · turn 1 · steps 1 (speak) …        over for b: 0 …     together: 0, a → b
 */
import { alignSteps } from '../../synchrony/steps/align-steps.ts';
import {
  createEpisodeIndex,
  groupOf,
  placeOf,
  type IndexedEpisode,
  type IndexedTurn,
  type EpisodeIndex,
  type Group,
} from '../ingest/episode-index.ts';
import { READER_SEATING } from '../../protocol/stream/frames.ts';
import { addSteps, bytesOfSteps, layersOfSteps, type TurnSteps, type StepLayers } from './turn-steps.ts';
import type { StepInput, StepSkip } from './step-messages.ts';

/** Aligned steps of one turn, from its speaker to one of its listeners. */
export interface AlignedTurn {
  group: Group;
  episode: string;
  scenario: string;
  turn: number;
  /** The last frame used of each side: STREAM EPOCH SEQ. */
  speaker: string;
  listener: string;
  /** Row by row after the same words. */
  a: StepLayers;
  b: StepLayers;
  /** Where the listener has read the turn behind another history as well. */
  control?: ControlledSteps | undefined;
}

/** The steps that all three have: speaker, listener, and the listener behind the history of another episode. */
export interface ControlledSteps {
  /** The last frame used: STREAM EPOCH SEQ. */
  last: string;
  a: StepLayers;
  b: StepLayers;
  c: StepLayers;
}

export interface StepIndex {
  /** @returns turns that are now over */
  take(input: StepInput | StepSkip): AlignedTurn[];
  /** Marks all turns as over, since no agent speaks any more. */
  finish(): AlignedTurn[];
}

/** Steps of one episode that wait for the other side. */
interface OpenEpisode {
  /**
   * Turn → STREAM EPOCH, of a control with CONTROL behind → steps; undefined if a frame was skipped, so that the turn
   * is not measured.
   */
  turns: Map<number, Map<string, TurnSteps> | undefined>;
  /** TURN>ROLE of each listener that is done. */
  done: Set<string>;
}

interface IndexState {
  episodes: EpisodeIndex<null>;
  open: Map<string, OpenEpisode>;
  /** Stream → the episodes that it is in → the current turn of each; the latest begun is the last. */
  at: Map<string, Map<string, number>>;
}

/** An agent plays no more episodes at once (`--at-once`): with so many begun since, an episode has ended. */
const MOST_AT_ONCE = 64;

const CONTROL = ' control';

/** Bytes of steps that may wait for the other side; above, those of the oldest episode are dropped. */
const MOST_OPEN_BYTES = 256 * 2 ** 20;

export function createStepIndex(): StepIndex {
  const state: IndexState = { episodes: createEpisodeIndex(), open: new Map(), at: new Map() };
  let openBytes = 0;
  const close = (ids: Iterable<string>, all: boolean): AlignedTurn[] => {
    const found = [...ids].flatMap((id) => overTurns(state, id, all));
    openBytes = bytesOf(state);
    return found;
  };
  return {
    take: (input) => {
      const { frame, origin } = input;
      const moved = moveOn(state, origin.stream, frame);
      openBytes += input.type === 'skip' ? skipTurn(state, input) : takeFrame(state, input);
      if (openBytes > MOST_OPEN_BYTES) openBytes -= giveUpOldest(state);
      return moved.length === 0 ? [] : close(moved, false);
    },
    finish: () => close(state.open.keys(), true),
  };
}

/** Notes where a stream is. @returns the episodes in which it went on, or which have ended for it */
function moveOn({ at }: IndexState, stream: string, frame: StepInput['frame'] | StepSkip['frame']): string[] {
  const turn = 'turn' in frame ? frame.turn : -1;
  const episodes = at.get(stream) ?? new Map<string, number>();
  at.set(stream, episodes);
  if (episodes.get(frame.episode) === turn) return [];
  episodes.set(frame.episode, turn);
  const [oldest = frame.episode] = episodes.keys();
  if (episodes.size <= MOST_AT_ONCE) return [frame.episode];
  episodes.delete(oldest);
  return [oldest, frame.episode];
}

function openEpisode({ open }: IndexState, id: string): OpenEpisode {
  const known = open.get(id) ?? { turns: new Map(), done: new Set() };
  open.set(id, known);
  return known;
}

function skipTurn(state: IndexState, { frame }: StepSkip): number {
  openEpisode(state, frame.episode).turns.set(frame.turn, undefined);
  return 0;
}

/** @returns how many more bytes wait now */
function takeFrame(state: IndexState, { frame, origin }: StepInput): number {
  if (frame.type === 'episode') state.episodes.addEpisode(frame);
  else if (frame.type === 'turn')
    state.episodes.addTurn(frame.episode, { ...placeOf(frame, origin), payload: null });
  else if (frame.role === 'speak' || frame.role === 'listen' || frame.role === 'control') {
    const { turns } = openEpisode(state, frame.episode);
    const sides = turns.has(frame.turn) ? turns.get(frame.turn) : new Map<string, TurnSteps>();
    turns.set(frame.turn, sides);
    const key = `${origin.stream} ${origin.epoch}${frame.role === 'control' ? CONTROL : ''}`;
    sides?.set(key, addSteps(sides.get(key), frame, origin));
    return frame.data.byteLength;
  }
  return 0;
}

const bytesOf = ({ open }: IndexState): number =>
  [...open.values()]
    .flatMap(({ turns }) => [...turns.values()].flatMap((sides) => [...(sides?.values() ?? [])]))
    .reduce((sum, side) => sum + bytesOfSteps(side), 0);

/** @returns how many bytes were dropped */
function giveUpOldest(state: IndexState): number {
  const before = bytesOf(state);
  const oldest = [...state.open.values()].find(({ turns }) => turns.size > 0);
  for (const turn of oldest?.turns.keys() ?? []) oldest?.turns.set(turn, undefined);
  return before - bytesOf(state);
}

function overTurns(state: IndexState, id: string, all: boolean): AlignedTurn[] {
  const [open, episode] = [state.open.get(id), state.episodes.episode(id)];
  const agents = episode?.about?.order.length ?? 0;
  if (!open || !episode || agents === 0) return [];
  const found: AlignedTurn[] = [];
  for (const [turn, sides] of [...open.turns].sort(([a], [b]) => a - b)) {
    const roles = Array.from({ length: agents }, (_, role) => role).filter((role) => role !== turn % agents);
    for (const role of roles.filter((one) => !open.done.has(`${turn}>${one}`))) {
      const pair = overPair(state, episode, { turn, role, all });
      if (!pair) continue;
      open.done.add(`${turn}>${role}`);
      const aligned = sides && alignTurn(sides, { episode, turn, role, ...pair });
      if (aligned) found.push(aligned);
    }
    if (roles.every((role) => open.done.has(`${turn}>${role}`))) open.turns.delete(turn);
  }
  return found;
}

interface Pair {
  speaker: IndexedTurn<null>;
  /** A turn of the listener, which tells which stream listens in the role. */
  listener: IndexedTurn<null>;
}

/** The speaker and a listener of a turn, once it is over for both; with `all`, as far as they are known. */
function overPair(
  state: IndexState,
  episode: IndexedEpisode<null>,
  { turn, role, all }: { turn: number; role: number; all: boolean },
): Pair | undefined {
  const agents = episode.about?.order.length ?? 0;
  const ahead = (role - (turn % agents) + agents) % agents;
  const speaker = turnOfRole(episode, turn);
  const listener = turnOfRole(episode, turn + ahead) ?? turnOfRole(episode, turn + ahead - agents);
  if (!speaker || !listener) return undefined;
  const isThrough = ({ origin }: IndexedTurn<null>): boolean => {
    const episodes = state.at.get(origin.stream);
    return episodes !== undefined && (episodes.get(episode.id) ?? Infinity) > turn;
  };
  return all || (isThrough(speaker) && isThrough(listener)) ? { speaker, listener } : undefined;
}

/** A turn in the stream that counts for its role; undefined while that is not known. */
function turnOfRole({ about, turns }: IndexedEpisode<null>, turn: number): IndexedTurn<null> | undefined {
  const found = turns.get(turn);
  const agents = about?.order.length ?? 0;
  const reads = about?.condition === 'reader' && turn % agents === agents - 1;
  return found && (!reads || found.seating >= READER_SEATING) ? found : undefined;
}

function alignTurn(
  sides: ReadonlyMap<string, TurnSteps>,
  of: Pair & { episode: IndexedEpisode<null>; turn: number; role: number },
): AlignedTurn | undefined {
  const { episode, turn, role } = of;
  const sideOf = ({ origin }: IndexedTurn<null>, what = ''): TurnSteps | undefined =>
    sides.get(`${origin.stream} ${origin.epoch}${what}`);
  const [speaker, listener] = [sideOf(of.speaker), sideOf(of.listener)];
  const { about } = episode;
  const group = about && groupOf(about, turn % about.order.length, role);
  if (!group || speaker?.role !== 'speak' || listener?.role !== 'listen') return undefined;
  const control = alignControl(speaker, listener, sideOf(of.listener, CONTROL));
  const place = { group, episode: episode.id, scenario: about.scenario, turn };
  return { ...place, ...alignSides(speaker, listener), ...(control ? { control } : {}) };
}

/** The steps that all three sides have; also used by a replay. */
export function alignControl(
  speaker: TurnSteps,
  listener: TurnSteps,
  control: TurnSteps | undefined,
): ControlledSteps | undefined {
  if (!control) return undefined;
  const heard = new Map(alignSteps(rangesOf(speaker), rangesOf(listener)));
  const triples = alignSteps(rangesOf(speaker), rangesOf(control)).flatMap(([place, other]) => {
    const own = heard.get(place);
    return own === undefined ? [] : [[place, own, other] as const];
  });
  if (triples.length === 0) return undefined;
  return {
    last: control.last,
    a: layersOfSteps(
      speaker,
      triples.map(([place]) => place),
    ),
    b: layersOfSteps(
      listener,
      triples.map(([, place]) => place),
    ),
    c: layersOfSteps(
      control,
      triples.map(([, , place]) => place),
    ),
  };
}

const rangesOf = ({ steps }: TurnSteps) => steps.map(({ range }) => range);

/** Aligns the steps of two sides; also used by a replay. */
export function alignSides(
  speaker: TurnSteps,
  listener: TurnSteps,
): Pick<AlignedTurn, 'speaker' | 'listener' | 'a' | 'b'> {
  const pairs = alignSteps(rangesOf(speaker), rangesOf(listener));
  return {
    speaker: speaker.last,
    listener: listener.last,
    a: layersOfSteps(
      speaker,
      pairs.map(([place]) => place),
    ),
    b: layersOfSteps(
      listener,
      pairs.map(([, place]) => place),
    ),
  };
}
