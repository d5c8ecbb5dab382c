/**
 * Brings the branch frames of an episode's agents together, in whatever order they come: which alternatives of a turn
 * the speaker has sent, and which of them a listener has heard. A history counts for a listener once both sides have
 * the same alternatives, two at least.
 *
 *   speaker of turn t:   end 0 … K − 1, bystander 0 … K − 1 ─┐
 *   listener:            reply 0 … K − 1 ────────────────────┴─▶ history (episode, t) of the group speaker → listener
 *
 * Versions in which the speaker's state was moved are histories of their own, one for each layer and size: the speaker
 * sends what moved it, `coefficients` or `delta`, in the place of the end of its utterance. Where states are exchanged,
 * histories of other words have the speaker's states `before` it spoke.
 *
 * Each listener is a target at distance 1. A reader is a target only: no history has the role in which it reads as
 * source. That is known from the condition, not from the reader's frames: these may come after the speaker's.
 */
import type { BranchFrame, EpisodeFrame } from '../../protocol/stream/frames.ts';
import { groupOf, supersedes, type EpisodeAbout, type Group, type Origin } from '../ingest/episode-index.ts';
import { bytesOfBranch, shareBranch, type SharedBranch } from './branch-numbers.ts';

/** One alternative as the speaker said it and one listener heard it. */
export interface OwnedAlternative {
  k: number;
  end: SharedBranch;
  reply: SharedBranch;
  bystander: SharedBranch | undefined;
  /** The episode whose state was put in place. */
  donor?: string;
}

/** How the speaker's state was moved in the versions of a history. */
export interface PatchKey {
  kind: string;
  layer: number;
  /** In standard deviations; absent where a state was replaced. */
  size?: number;
}

/** A turn that branched, with its numbers. */
export interface OwnedHistory {
  episode: string;
  scenario: string;
  turn: number;
  /** Alternatives of a turn in this run, as far as was seen: a history with fewer may not be whole yet. */
  most: number;
  alternatives: OwnedAlternative[];
  /** Absent: the versions have other words. */
  patch?: PatchKey;
  /** The speaker's states before it spoke, of the layers that are exchanged. */
  before?: SharedBranch;
  /** Seed of the study; absent if the sender does not say. */
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
  patch: PatchKey | undefined;
  donor: string | undefined;
  /** Undefined once it was given back. */
  payload: SharedBranch | undefined;
}

interface IndexedEpisode {
  about: EpisodeAbout | undefined;
  /** Stream → its role. */
  roles: Map<string, number>;
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
/** The same where a state was moved, by kind: what moved it comes first. */
const PATCH_STATES: Record<string, readonly [string, string]> = {
  perturbation: ['coefficients', 'reply'],
  interchange: ['delta', 'reply'],
};
/** Layers and sizes of a turn: the figures of each are metrics of their own. */
const MOST_PATCHES = 64;

/** Undefined for a frame of other words, null for one that nothing is made of. */
function patchOf(frame: BranchFrame): PatchKey | undefined | null {
  const { kind, state, layer, size, donor } = frame;
  if (kind === 'alternative') return STATES.includes(state) ? undefined : null;
  if (kind === 'interchange' && state === 'before') return undefined;
  if (!PATCH_STATES[kind]?.includes(state) || layer === undefined) return null;
  if (kind === 'interchange') return donor === undefined ? null : { kind, layer };
  return size === undefined ? null : { kind, layer, size };
}

export const patchName = (patch: PatchKey | undefined): string =>
  patch ? `${patch.kind}:${patch.layer}${patch.size === undefined ? '' : `:${patch.size}`}` : '';

interface IndexState {
  episodes: Map<string, IndexedEpisode>;
  /** Alternatives of a turn, as far as was seen from both sides. */
  most: number;
  /** Names of the patches seen. */
  patches: Set<string>;
}

export function createBranchIndex(): BranchIndex {
  const state: IndexState = { episodes: new Map(), most: 0, patches: new Set() };
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
  const fresh: IndexedEpisode = { about: undefined, roles: new Map(), turns: new Map() };
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
  const { turn, state: name, k, seating = 0 } = frame;
  const patch = patchOf(frame);
  if (role === undefined || patch === null || !isAdmitted(state, patch)) return NOTHING;
  const states = episode.turns.get(turn) ?? new Map<string, IndexedState>();
  episode.turns.set(turn, states);
  const key = `${role} ${name} ${k}`;
  const known = states.get(key);
  if (known && !supersedes({ seating, origin }, known)) return NOTHING;
  const payload = shareBranch(frame);
  states.set(key, { origin, seating, patch, donor: frame.donor, payload });
  const bytes = bytesOfBranch(payload) - (known?.payload ? bytesOfBranch(known.payload) : 0);
  const listeners = name === 'reply' ? [role] : undefined;
  const patches = [patch];
  return { bytes, updates: historiesOf(state, { id: frame.episode, turn, listeners, patches }) };
}

/** Names of layers and sizes come from agents, so their number is bounded. */
function isAdmitted({ patches }: IndexState, patch: PatchKey | undefined): boolean {
  if (!patch) return true;
  if (patches.size < MOST_PATCHES) patches.add(patchName(patch));
  return patches.has(patchName(patch));
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
  /** All by default. */
  listeners?: readonly number[] | undefined;
  patches?: readonly (PatchKey | undefined)[];
}

function historiesOf(state: IndexState, place: Place): HistoryUpdate[] {
  const { id, turn, listeners } = place;
  const { about, turns } = openEpisode(state, id);
  const states = turns.get(turn);
  if (!about || !states) return [];
  const agents = about.order.length;
  const speaker = turn % agents;
  if (about.condition === 'reader' && speaker === agents - 1) return [];
  const others = [...about.order.keys()].filter((role) => role !== speaker);
  const patches = place.patches ?? patchesIn(states);
  return others.flatMap((role) => {
    if (listeners && !listeners.includes(role)) return [];
    const group = groupOf(about, speaker, role);
    if (!group) return [];
    return patches.flatMap((patch) => {
      const alternatives = alternativesOf(states, { speaker, listener: role, patch });
      if (!alternatives) return [];
      const seed = about.plan === undefined ? {} : { seed: about.plan.seed };
      // What one side alone sends does not say how many the others must have.
      if (!patch) state.most = Math.max(state.most, (alternatives.at(-1)?.k ?? 0) + 1);
      const most = patch ? alternatives.length : state.most;
      const of = { episode: id, scenario: about.scenario, turn, most, alternatives };
      const before = patch ? undefined : states.get(`${speaker} before 0`)?.payload;
      return [
        { group, history: { ...of, ...(patch ? { patch } : {}), ...(before ? { before } : {}), ...seed } },
      ];
    });
  });
}

function patchesIn(states: ReadonlyMap<string, IndexedState>): (PatchKey | undefined)[] {
  return [...new Map([...states.values()].map(({ patch }) => [patchName(patch), patch])).values()];
}

interface Sides {
  speaker: number;
  listener: number;
  patch: PatchKey | undefined;
}

/** Undefined unless both sides have the same alternatives, two at least. */
function alternativesOf(
  states: ReadonlyMap<string, IndexedState>,
  { speaker, listener, patch }: Sides,
): OwnedAlternative[] | undefined {
  const payload = (role: number, state: string, k: number): SharedBranch | undefined =>
    states.get(`${role} ${state} ${k}`)?.payload;
  const name = patchName(patch);
  const of = (role: number, wanted: string): number[] =>
    [...states]
      .filter(([, { patch: own }]) => patchName(own) === name)
      .map(([key]) => key.split(' '))
      .filter(([own, state]) => Number(own) === role && state === wanted)
      .map(([, , k]) => Number(k))
      .sort((a, b) => a - b);
  const own = patch ? (PATCH_STATES[patch.kind]?.[0] ?? '') : 'end';
  const said = of(speaker, own);
  if (said.length < 2 || String(said) !== String(of(listener, 'reply'))) return undefined;
  const found = said.flatMap((k) => {
    const [end, reply] = [payload(speaker, own, k), payload(listener, 'reply', k)];
    if (!end || !reply) return [];
    const donor = states.get(`${speaker} ${own} ${k}`)?.donor;
    const by = donor === undefined ? {} : { donor };
    return [{ k, end, reply, bystander: payload(speaker, 'bystander', k), ...by }];
  });
  return found.length === said.length ? found : undefined;
}
