/**
 * Joins the frames of an episode's agents, in whatever order they arrive: which agent spoke which turn, and which
 * states may predict which. It does not look at the states; a turn may carry any payload.
 *
 *   stream a:  episode · turn 0 · turn 2 · …          rows (2 agents):  0→1  first_to_second
 *   stream b:  episode ·      turn 1 · turn 3 · …                       1→2  second_to_first …
 */
import type { EpisodeFrame, ModelRef, TalkMark, TurnFrame } from '../../protocol/stream/frames.ts';
import type { Direction } from '../../protocol/reports/score-report.ts';

export interface Group {
  key: string;
  source: ModelRef;
  target: ModelRef;
  direction: Direction;
  condition: string;
  /** Number of agents in the episode, and the places of source and target in its speaking order, from 1. */
  agents: number;
  sourceRole: number;
  targetRole: number;
}

/** Stream, epoch and number of a frame. */
export interface Origin {
  stream: string;
  epoch: number;
  seq: number;
}

export interface IndexedTurn<P> {
  turn: number;
  origin: Origin;
  /** How often the role had been given to another agent before this turn, from 0. */
  seating: number;
  /** Properties of the utterance before, and of the prompt; absent if the sender does not send them. */
  talk?: TalkMark;
  payload: P;
}

/** Place of a turn frame, without its states. */
export function placeOf(
  { turn, seating = 0, talk }: Pick<TurnFrame, 'turn' | 'seating' | 'talk'>,
  origin: Origin,
): Omit<IndexedTurn<never>, 'payload'> {
  return { turn, seating, origin, ...(talk ? { talk } : {}) };
}

export interface IndexedEpisode<P> {
  id: string;
  /** Undefined until the first episode frame arrived. */
  about: EpisodeAbout | undefined;
  turns: Map<number, IndexedTurn<P>>;
}

export type EpisodeAbout = Pick<
  EpisodeFrame,
  'scenario' | 'pair' | 'condition' | 'order' | 'models' | 'plan'
>;

/** A's state at `sourceTurn` with B's next one at `targetTurn`. */
export interface Row {
  group: Group;
  episode: string;
  scenario: string;
  sourceTurn: number;
  targetTurn: number;
}

/** What a frame changed: new rows, and rows whose states were replaced. */
export interface IndexChange {
  added: Row[];
  replaced: Row[];
}

export interface EpisodeIndex<P> {
  addEpisode(frame: EpisodeFrame): IndexChange;
  addTurn(episode: string, turn: IndexedTurn<P>): IndexChange;
  episodes(): IterableIterator<IndexedEpisode<P>>;
  episode(id: string): IndexedEpisode<P> | undefined;
}

const NOTHING: IndexChange = { added: [], replaced: [] };

export function createEpisodeIndex<P>(): EpisodeIndex<P> {
  const episodes = new Map<string, IndexedEpisode<P>>();
  const open = (id: string): IndexedEpisode<P> => {
    const known = episodes.get(id) ?? { id, about: undefined, turns: new Map<number, IndexedTurn<P>>() };
    episodes.set(id, known);
    return known;
  };
  return {
    addEpisode: (frame) => {
      const episode = open(frame.episode);
      if (episode.about) return NOTHING;
      const { scenario, pair, condition, order, models, plan } = frame;
      episode.about = { scenario, pair, condition, order, models, ...(plan ? { plan } : {}) };
      return { added: rowsOf(episode), replaced: [] };
    },
    addTurn: (id, turn) => {
      const episode = open(id);
      const known = episode.turns.get(turn.turn);
      if (known && !supersedes(turn, known)) return NOTHING;
      episode.turns.set(turn.turn, turn);
      const rows = rowsTouching(episode, turn.turn);
      return known ? { added: [], replaced: rows } : { added: rows, replaced: [] };
    },
    episodes: () => episodes.values(),
    episode: (id) => episodes.get(id),
  };
}

/** All rows of an episode, by turn and then by the role that is predicted. */
export function rowsOf<P>(episode: IndexedEpisode<P>): Row[] {
  return [...episode.turns.keys()].sort((a, b) => a - b).flatMap((turn) => rowsFrom(episode, turn));
}

function rowsTouching<P>(episode: IndexedEpisode<P>, turn: number): Row[] {
  const agents = episode.about?.order.length ?? 0;
  const first = Math.max(0, turn - agents + 1);
  const sources = Array.from({ length: turn - first + 1 }, (_, index) => first + index);
  return sources
    .flatMap((source) => rowsFrom(episode, source))
    .filter((row) => row.sourceTurn === turn || row.targetTurn === turn);
}

/** The rows in which this turn predicts: the next turn of each other agent, if it has been recorded. */
function rowsFrom<P>(episode: IndexedEpisode<P>, sourceTurn: number): Row[] {
  const { about, turns, id } = episode;
  if (!about || !turns.has(sourceTurn)) return [];
  const agents = about.order.length;
  return Array.from({ length: agents - 1 }, (_, ahead) => sourceTurn + 1 + ahead)
    .filter((targetTurn) => turns.has(targetTurn))
    .flatMap((targetTurn) => {
      const group = groupOf(about, sourceTurn % agents, targetTurn % agents);
      return group ? [{ group, episode: id, scenario: about.scenario, sourceTurn, targetTurn }] : [];
    });
}

/** Number of turns from the predicting state to the predicted one: 1 for two agents, 1 to n − 1 for n. */
export function distanceOf({
  agents,
  sourceRole,
  targetRole,
}: Pick<Group, 'agents' | 'sourceRole' | 'targetRole'>): number {
  return (targetRole - sourceRole + agents) % agents;
}

/** The group of an ordered pair of roles, counted from 0. */
export function groupOf(about: EpisodeAbout, from: number, to: number): Group | undefined {
  const source = about.models[from];
  const target = about.models[to];
  if (!source || !target) return undefined;
  const direction: Direction = from < to ? 'first_to_second' : 'second_to_first';
  const { condition, order } = about;
  const [agents, sourceRole, targetRole] = [order.length, from + 1, to + 1];
  const place = agents === 2 ? direction : `${sourceRole}>${targetRole} of ${agents}`;
  const key = [source.name, source.sha256, target.name, target.sha256, place, condition].join('|');
  return { key, source, target, direction, condition, agents, sourceRole, targetRole };
}

/**
 * Whether a frame replaces another one of the same turn: the later seating counts; within a seating, the later epoch.
 */
export function supersedes(
  { seating, origin: fresh }: Pick<IndexedTurn<unknown>, 'seating' | 'origin'>,
  { seating: before, origin: known }: Pick<IndexedTurn<unknown>, 'seating' | 'origin'>,
): boolean {
  if (seating !== before) return seating > before;
  if (fresh.epoch !== known.epoch) return fresh.epoch > known.epoch;
  if (fresh.stream !== known.stream) return fresh.stream > known.stream;
  return fresh.seq > known.seq;
}
