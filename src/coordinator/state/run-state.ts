/**
 * The state of a run as a pure reduction of its stream. It uses no clock and no socket: after a kill, the coordinator
 * replays the stream and decides the same. A message takes as long in a plan of forty thousand episodes as in one of
 * four hundred: what `decide` asks for is kept up to date, and only what changes is copied.
 *   stream ─▶ reduce ─▶ RunState ─▶ decide ─▶ commands ─▶ (published) ─▶ stream
 */
import type { RunEvent, Utterance } from '../../protocol/nats-messages.ts';
import { endOfTalk } from '../../protocol/early-end.ts';
import type { Study } from '../../protocol/study.ts';
import {
  alternativeFault,
  alternativesOf,
  floorsAfter,
  floorsBeside,
  floorsWith,
  NO_FLOORS,
  turnFault,
  type Floors,
  type PlacedAlternative,
} from '../../protocol/turn-order.ts';
import { agentsOfEpisode, type PlannedEpisode } from '../plan.ts';
import { emptyMap, valueAt, withValue, type PlaceMap } from './place-map.ts';
import { indexPlan, type PlanIndex } from './plan-index.ts';

export interface RunningEpisode {
  is: 'running';
  spoken: readonly Utterance[];
  /** Alternatives of the turns that were spoken. */
  alternatives: readonly PlacedAlternative[];
  closedBy: 'turns' | 'leave' | undefined;
  /** The agent that has each role, the reader last: as planned, unless another one took over. */
  holders: readonly RoleHolder[];
}

export interface RoleHolder {
  agent: string;
  /** How often the role was given to an agent again since the episode began. */
  seating: number;
  /** Service instance of the agent when it took the role over; undefined if the agent is the planned one. */
  tookOverAs: string | undefined;
}

export interface FinishedEpisode {
  is: 'finished';
  turns: number;
  /** Kept where listeners read the turns of later episodes behind it. */
  spoken?: readonly Utterance[];
}

export type EpisodeState = { is: 'planned' } | RunningEpisode | FinishedEpisode;

export interface RunState {
  plan: readonly PlannedEpisode[];
  maxTurns: number;
  index: PlanIndex;
  /** By place in the plan; those that have not begun are left out. */
  begun: PlaceMap<RunningEpisode | FinishedEpisode>;
  /** Places of the running episodes, in order. */
  running: readonly number[];
  /** For each crew the places that have not begun and wait for no other episode. */
  ready: readonly PlaceMap<true>[];
  counts: Readonly<Record<EpisodeState['is'], number>>;
  /** Turns spoken in all episodes. */
  turns: number;
  /** Number of the episodes whose states are kept for patches that have not ended. */
  basisLeft: number;
  /** The study with which the run was begun; undefined before that. */
  study: Study | undefined;
  /** State of the running episodes: who may speak which turn. */
  floors: Floors;
  /** How often the run failed; it continues when it is started again. */
  failures: number;
  /** Agents whose role was taken over and that have had none since. */
  replaced: ReadonlySet<string>;
  ended: { as: 'finished' } | { as: 'failed'; reason: string } | undefined;
}

const PLANNED = { is: 'planned' } as const;

export function initialState(plan: readonly PlannedEpisode[], maxTurns: number): RunState {
  const state = {
    plan,
    maxTurns,
    begun: emptyMap<RunningEpisode | FinishedEpisode>(plan.length),
    running: [],
    counts: { planned: plan.length, running: 0, finished: 0 },
    turns: 0,
    floors: NO_FLOORS,
    failures: 0,
    replaced: new Set<string>(),
    ended: undefined,
  };
  return ofStudy(state, undefined);
}

/** The study says which episodes wait for others. */
function ofStudy(
  state: Omit<RunState, 'index' | 'ready' | 'basisLeft' | 'study'>,
  study: Study | undefined,
): RunState {
  const { plan, begun } = state;
  const index = indexPlan(plan, study);
  const hasEnded = (place: number): boolean => valueAt(begun, place)?.is === 'finished';
  const ready = index.crews.map(() => emptyMap<true>(plan.length));
  for (const [place, crew] of index.crewOf.entries()) {
    const control = index.controls[place];
    if (valueAt(begun, place) || (control !== undefined && !hasEnded(control))) continue;
    ready[crew] = withValue(ready[crew] ?? emptyMap<true>(plan.length), place, true);
  }
  const basisLeft = plan.slice(0, index.basis).filter((_, place) => !hasEnded(place)).length;
  return { ...state, study, index, ready, basisLeft };
}

export function reduceEvent(state: RunState, event: RunEvent): RunState {
  const floors = floorsAfter(state.floors, event);
  return reduceEpisodes(floors === state.floors ? state : { ...state, floors }, event);
}

function reduceEpisodes(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'run-started':
      return ofStudy(state, event.study);
    case 'episode-started':
      return withEpisode(state, event.episode, (was, episode) =>
        was.is === 'planned' ? beginning(episode) : was,
      );
    case 'episode-resumed':
      return withHolder(isBack(state, event.agent), event.episode, (holder) =>
        holder.agent === event.agent ? { ...holder, seating: holder.seating + 1 } : holder,
      );
    case 'episode-taken-over': {
      const replaced = new Set(state.replaced).add(event.lost);
      replaced.delete(event.agent);
      return withHolder({ ...state, replaced }, event.episode, ({ agent, seating }, role) =>
        role === event.role && agent === event.lost
          ? { agent: event.agent, seating: seating + 1, tookOverAs: event.instance }
          : undefined,
      );
    }
    case 'episode-finished':
      return withEpisode(state, event.episode, (was) => ({
        is: 'finished',
        turns: event.turns,
        ...(state.study?.steps?.control && was.is === 'running' ? { spoken: was.spoken } : {}),
      }));
    case 'run-finished':
      return { ...state, ended: { as: 'finished' } };
    case 'run-failed':
      return { ...state, failures: state.failures + 1, ended: { as: 'failed', reason: event.reason } };
    case 'run-resumed':
      return { ...state, ended: undefined };
    case 'run-recorded':
      return state;
  }
}

function isBack(state: RunState, agent: string): RunState {
  const replaced = new Set(state.replaced);
  return replaced.delete(agent) ? { ...state, replaced } : state;
}

/** @returns the same state if the utterance does not count as the turn that it names */
export function reduceUtterance(state: RunState, utterance: Utterance): RunState {
  if (utteranceFault(state, utterance) !== undefined) return state;
  const floor = state.floors.get(utterance.episode);
  const next = { ...state, floors: floorsWith(state.floors, utterance) };
  return withEpisode(next, utterance.episode, (was) => {
    if (was.is !== 'running') return was;
    const spoken = [...was.spoken, utterance];
    const alternatives = [...was.alternatives, ...alternativesOf(floor, utterance.agent)];
    const closedBy = endOfTalk(spoken, { speakers: floor?.speakers ?? 2, maxTurns: state.maxTurns });
    return { ...was, spoken, alternatives, closedBy };
  });
}

/** @returns the same state if the alternative does not count */
export function reduceAlternative(state: RunState, alternative: PlacedAlternative): RunState {
  if (alternativeFault(state.floors.get(alternative.episode), alternative) !== undefined) return state;
  return { ...state, floors: floorsBeside(state.floors, alternative) };
}

/** Why an utterance does not count; undefined if it does. */
export function utteranceFault(state: RunState, utterance: Utterance): string | undefined {
  return turnFault(state.floors.get(utterance.episode), utterance);
}

/** Undefined for an episode that is not planned. */
export function episodeOf({ index, begun }: RunState, id: string): EpisodeState | undefined {
  const place = index.placeOf.get(id);
  return place === undefined ? undefined : (valueAt(begun, place) ?? PLANNED);
}

function turnsOf(episode: EpisodeState): number {
  if (episode.is === 'planned') return 0;
  return episode.is === 'running' ? episode.spoken.length : episode.turns;
}

function beginning(episode: PlannedEpisode): RunningEpisode {
  const holders = plannedHolders(episode);
  return { is: 'running', spoken: [], alternatives: [], closedBy: undefined, holders };
}

/** The planned holder of each role. */
export function plannedHolders(episode: PlannedEpisode): RoleHolder[] {
  return agentsOfEpisode(episode).map((agent) => ({ agent, seating: 0, tookOverAs: undefined }));
}

/** @param change gives the new holder of a role, or undefined to keep it */
function withHolder(
  state: RunState,
  id: string,
  change: (holder: RoleHolder, role: number) => RoleHolder | undefined,
): RunState {
  return withEpisode(state, id, (was) =>
    was.is === 'running'
      ? { ...was, holders: was.holders.map((holder, role) => change(holder, role) ?? holder) }
      : was,
  );
}

function withEpisode(
  state: RunState,
  id: string,
  change: (was: EpisodeState, episode: PlannedEpisode) => EpisodeState,
): RunState {
  const place = state.index.placeOf.get(id);
  const episode = place === undefined ? undefined : state.plan[place];
  if (place === undefined || !episode) return state;
  const was = valueAt(state.begun, place) ?? PLANNED;
  const now = change(was, episode);
  if (now.is === 'planned') return state;
  const next = {
    ...state,
    begun: withValue(state.begun, place, now),
    turns: state.turns + turnsOf(now) - turnsOf(was),
  };
  return was.is === now.is ? next : moved(next, place, { from: was.is, to: now.is });
}

/** An episode that begins is no longer ready; one that ends lets those begin that waited for it. */
function moved(
  state: RunState,
  place: number,
  { from, to }: { from: EpisodeState['is']; to: EpisodeState['is'] },
): RunState {
  const { index, begun, running, counts, basisLeft } = state;
  const others = running.filter((other) => other !== place);
  const ready = [...state.ready];
  const mark = (at: number, value: true | undefined): void => {
    const crew = index.crewOf[at] ?? 0;
    ready[crew] = withValue(ready[crew] ?? emptyMap<true>(state.plan.length), at, value);
  };
  mark(place, undefined);
  const waited = to === 'finished' ? (index.waiting.get(place) ?? []) : [];
  for (const at of waited) if (!valueAt(begun, at)) mark(at, true);
  return {
    ...state,
    running: to === 'running' ? [...others, place].toSorted((a, b) => a - b) : others,
    ready,
    counts: { ...counts, [from]: counts[from] - 1, [to]: counts[to] + 1 },
    basisLeft: to === 'finished' && place < index.basis ? basisLeft - 1 : basisLeft,
  };
}
