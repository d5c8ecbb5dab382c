/**
 * Brings the branch frames of an episode's agents together, in whatever order they come: which alternatives of a turn
 * the speaker has sent, and which of them a listener has heard. A history counts for a listener once both sides have
 * the same alternatives, two at least.
 *
 *   speaker of turn t:   end 0 … K − 1, bystander 0 … K − 1 ─┐
 *   listener:            reply 0 … K − 1 ────────────────────┴─▶ history (episode, t) of the group speaker → listener
 *
 * Each listener is a target at distance 1. A reader is a target only: no history has the role in which it reads as
 * source.
 */
import { READER_SEATING, type BranchFrame, type EpisodeFrame } from '../../protocol/stream/frames.ts';
import { groupOf, supersedes, type EpisodeAbout, type Group, type Origin } from '../ingest/episode-index.ts';
import { bytesOfBranch, shareBranch, type SharedBranch } from './branch-numbers.ts';

/** One alternative as the speaker said it and one listener heard it. */
export interface OwnedAlternative {
  k: number;
  end: SharedBranch;
  reply: SharedBranch;
  bystander: SharedBranch | undefined;
}

/** A turn that branched, with its numbers. */
export interface OwnedHistory {
  episode: string;
  scenario: string;
  turn: number;
  /** Alternatives of a turn in this run, as far as was seen: a history with fewer may not be whole yet. */
  most: number;
  alternatives: OwnedAlternative[];
  /** Of the study; absent where the sender does not say. */
  seed?: number;
}

/** A history of one group that is new or whose numbers were replaced. */
export interface HistoryUpdate {
  group: Group;
  history: OwnedHistory;
}

interface IndexedState {
  origin: Origin;
  seating: number;
  /** Undefined once it was given back. */
  payload: SharedBranch | undefined;
}

interface IndexedEpisode {
  about: EpisodeAbout | undefined;
  /** Stream → its role. */
  roles: Map<string, number>;
  /** Roles in which a reader reads. */
  readers: Set<number>;
  /** Turn → `role state k` → what came of it. */
  turns: Map<number, Map<string, IndexedState>>;
}

export interface BranchIndex {
  /** @returns the histories that the frame changed, of every listener */
  addEpisode(frame: EpisodeFrame, stream: string): HistoryUpdate[];
  /** @returns those, and by how many bytes what is kept has grown */
  addBranch(frame: BranchFrame, origin: Origin): { updates: HistoryUpdate[]; bytes: number };
  /** Lets go of the numbers of an episode, or of all. @returns how many bytes that were */
  drop(episode?: string): number;
  /** The numbers of a recorded frame, where it is the one that counts. @returns their bytes */
  takeBack(frame: BranchFrame, origin: Origin): number;
  /** Every history with its numbers. */
  all(): HistoryUpdate[];
}

/** What figures are made of; other states are recorded alone. */
const STATES = ['end', 'bystander', 'reply'];

interface IndexState {
  episodes: Map<string, IndexedEpisode>;
  /** Alternatives of a turn, as far as was seen. */
  most: number;
}

export function createBranchIndex(): BranchIndex {
  const state: IndexState = { episodes: new Map(), most: 0 };
  const { episodes } = state;
  return {
    addEpisode: (frame, stream) => addEpisode(state, frame, stream),
    addBranch: (frame, origin) => addBranch(state, frame, origin),
    drop: (id) => {
      const dropped = id === undefined ? [...episodes.values()] : [openEpisode(state, id)];
      return dropped.reduce((sum, episode) => sum + dropNumbers(episode), 0);
    },
    takeBack: (frame, origin) => {
      const episode = openEpisode(state, frame.episode);
      const role = episode.roles.get(origin.stream);
      const known = episode.turns.get(frame.turn)?.get(`${role} ${frame.state} ${frame.k}`);
      if (!known || known.payload || !isSame(known.origin, origin)) return 0;
      known.payload = shareBranch(frame);
      return bytesOfBranch(known.payload);
    },
    all: () =>
      [...episodes].flatMap(([id, { turns }]) =>
        [...turns.keys()].flatMap((turn) => historiesOf(state, { id, turn })),
      ),
  };
}

function openEpisode({ episodes }: IndexState, id: string): IndexedEpisode {
  const known = episodes.get(id);
  if (known) return known;
  const fresh: IndexedEpisode = { about: undefined, roles: new Map(), readers: new Set(), turns: new Map() };
  episodes.set(id, fresh);
  return fresh;
}

function addEpisode(state: IndexState, frame: EpisodeFrame, stream: string): HistoryUpdate[] {
  const episode = openEpisode(state, frame.episode);
  const isNew = !episode.roles.has(stream);
  episode.roles.set(stream, frame.role);
  episode.about ??= frame;
  if (!isNew) return [];
  return [...episode.turns.keys()].flatMap((turn) => historiesOf(state, { id: frame.episode, turn }));
}

function addBranch(
  state: IndexState,
  frame: BranchFrame,
  origin: Origin,
): { updates: HistoryUpdate[]; bytes: number } {
  const episode = openEpisode(state, frame.episode);
  const role = episode.roles.get(origin.stream);
  const { turn, kind, state: name, k, seating = 0 } = frame;
  if (role === undefined || kind !== 'alternative' || !STATES.includes(name)) return NOTHING;
  if (seating >= READER_SEATING) episode.readers.add(role);
  const states = episode.turns.get(turn) ?? new Map<string, IndexedState>();
  episode.turns.set(turn, states);
  const key = `${role} ${name} ${k}`;
  const known = states.get(key);
  if (known && !supersedes({ seating, origin }, known)) return NOTHING;
  state.most = Math.max(state.most, k + 1);
  const payload = shareBranch(frame);
  states.set(key, { origin, seating, payload });
  const bytes = bytesOfBranch(payload) - (known?.payload ? bytesOfBranch(known.payload) : 0);
  const listeners = name === 'reply' ? [role] : undefined;
  return { bytes, updates: historiesOf(state, { id: frame.episode, turn, listeners }) };
}

const NOTHING = { updates: [], bytes: 0 };

const isSame = (a: Origin, b: Origin): boolean =>
  a.stream === b.stream && a.epoch === b.epoch && a.seq === b.seq;

function dropNumbers({ turns }: IndexedEpisode): number {
  let bytes = 0;
  for (const states of turns.values())
    for (const state of states.values()) {
      if (state.payload) bytes += bytesOfBranch(state.payload);
      state.payload = undefined;
    }
  return bytes;
}

interface Place {
  id: string;
  turn: number;
  /** Left out: all. */
  listeners?: readonly number[] | undefined;
}

function historiesOf(state: IndexState, { id, turn, listeners }: Place): HistoryUpdate[] {
  const { about, readers, turns } = openEpisode(state, id);
  const { most } = state;
  const states = turns.get(turn);
  if (!about || !states) return [];
  const agents = about.order.length;
  const speaker = turn % agents;
  if (readers.has(speaker)) return [];
  const others = [...about.order.keys()].filter((role) => role !== speaker);
  return others.flatMap((role) => {
    if (listeners && !listeners.includes(role)) return [];
    const group = groupOf(about, speaker, role);
    const alternatives = alternativesOf(states, { speaker, listener: role });
    if (!group || !alternatives) return [];
    const seed = about.plan === undefined ? {} : { seed: about.plan.seed };
    return [{ group, history: { episode: id, scenario: about.scenario, turn, most, alternatives, ...seed } }];
  });
}

/** Undefined unless both sides have the same alternatives, two at least. */
function alternativesOf(
  states: ReadonlyMap<string, IndexedState>,
  { speaker, listener }: { speaker: number; listener: number },
): OwnedAlternative[] | undefined {
  const payload = (role: number, state: string, k: number): SharedBranch | undefined =>
    states.get(`${role} ${state} ${k}`)?.payload;
  const of = (role: number, state: string): number[] =>
    [...states.keys()]
      .map((key) => key.split(' '))
      .filter(([own, name]) => Number(own) === role && name === state)
      .map(([, , k]) => Number(k))
      .sort((a, b) => a - b);
  const said = of(speaker, 'end');
  if (said.length < 2 || String(said) !== String(of(listener, 'reply'))) return undefined;
  const found = said.flatMap((k) => {
    const [end, reply] = [payload(speaker, 'end', k), payload(listener, 'reply', k)];
    return end && reply ? [{ k, end, reply, bystander: payload(speaker, 'bystander', k) }] : [];
  });
  return found.length === said.length ? found : undefined;
}
