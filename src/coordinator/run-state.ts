/**
 * The state of a run as a pure reduction of what the run's stream holds, and the decisions that follow from it. No clock,
 * no socket: kill the coordinator anywhere, replay the stream, and it decides the same.
 *
 *   stream ─▶ reduce ─▶ RunState ─▶ decide ─▶ commands ─▶ (published) ─▶ stream
 */
import type { Alternative, RunEvent, Utterance } from '../protocol/control.ts';
import { endOfTalk } from '../protocol/leaving.ts';
import type { Study } from '../protocol/study.ts';
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
} from '../protocol/turn-order.ts';
import { seatedAgents, type PlannedEpisode } from './plan.ts';

export interface RunningEpisode {
  is: 'running';
  spoken: readonly Utterance[];
  /** Of the turns that were spoken. */
  alternatives: readonly PlacedAlternative[];
  closedBy: 'turns' | 'leave' | undefined;
  /** Who has each role now, the reader last: the planned agents, but where another one took over. */
  seats: readonly Seat[];
}

export interface Seat {
  agent: string;
  /** How often the role was given to somebody (again) since the episode began. */
  seating: number;
  /** Set when the agent took the role over: its service instance then. */
  tookOverAs: string | undefined;
}

export type EpisodeState = { is: 'planned' } | RunningEpisode | { is: 'finished'; turns: number };

export interface RunState {
  plan: readonly PlannedEpisode[];
  maxTurns: number;
  episodes: ReadonlyMap<string, EpisodeState>;
  /** As the run was begun with; undefined before. */
  study: Study | undefined;
  /** Who may speak in the running episodes. */
  floors: Floors;
  /** How often it failed: started again, it goes on. */
  failures: number;
  /** Agents whose role was taken over and who have had none since. */
  replaced: ReadonlySet<string>;
  ended: { as: 'finished' } | { as: 'failed'; reason: string } | undefined;
}

export type Command =
  | { do: 'start-run' }
  | { do: 'start-episode'; episode: PlannedEpisode }
  | { do: 'seat'; episode: PlannedEpisode; role: number; agent: string; tookOverAs: string | undefined }
  | { do: 'finish-episode'; episode: string; turns: number; finish: 'turns' | 'leave' }
  | { do: 'finish-run'; episodes: number; turns: number };

export function initialState(plan: readonly PlannedEpisode[], maxTurns: number): RunState {
  const episodes = new Map<string, EpisodeState>(plan.map(({ id }) => [id, { is: 'planned' }]));
  return {
    plan,
    maxTurns,
    episodes,
    study: undefined,
    floors: NO_FLOORS,
    failures: 0,
    replaced: new Set(),
    ended: undefined,
  };
}

export function reduceEvent(state: RunState, event: RunEvent): RunState {
  const floors = floorsAfter(state.floors, event);
  return reduceEpisodes(floors === state.floors ? state : { ...state, floors }, event);
}

function reduceEpisodes(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'run-started':
      return { ...state, study: event.study };
    case 'episode-started':
      return withEpisode(state, event.episode, (was) =>
        was.is === 'planned' ? begun(state, event.episode) : was,
      );
    case 'episode-resumed':
      return withSeat(isBack(state, event.agent), event.episode, (seat) =>
        seat.agent === event.agent ? { ...seat, seating: seat.seating + 1 } : seat,
      );
    case 'episode-taken-over': {
      const replaced = new Set(state.replaced).add(event.lost);
      replaced.delete(event.agent);
      return withSeat({ ...state, replaced }, event.episode, ({ agent, seating }, role) =>
        role === event.role && agent === event.lost
          ? { agent: event.agent, seating: seating + 1, tookOverAs: event.instance }
          : undefined,
      );
    }
    case 'episode-finished':
      return withEpisode(state, event.episode, () => ({ is: 'finished', turns: event.turns }));
    case 'run-finished':
      return { ...state, ended: { as: 'finished' } };
    case 'run-failed':
      return { ...state, failures: state.failures + 1, ended: { as: 'failed', reason: event.reason } };
    case 'run-resumed':
      return { ...state, ended: undefined };
  }
}

function isBack(state: RunState, agent: string): RunState {
  const replaced = new Set(state.replaced);
  return replaced.delete(agent) ? { ...state, replaced } : state;
}

/** @returns the same state where the utterance is not the turn that it says it is */
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

/** @returns the same state where the alternative does not count */
export function reduceAlternative(state: RunState, alternative: PlacedAlternative): RunState {
  if (alternativeFault(state.floors.get(alternative.episode), alternative) !== undefined) return state;
  return { ...state, floors: floorsBeside(state.floors, alternative) };
}

/** The alternatives whose reply states an agent owes that plays an episode from here: those behind the last turn of its role. */
export function owedReplies(
  { spoken, alternatives }: Pick<RunningEpisode, 'spoken' | 'alternatives'>,
  { role, speakers }: { role: number; speakers: number },
): Alternative[] {
  const last = role < speakers ? spoken.findLast(({ turn }) => turn % speakers === role) : undefined;
  return alternatives.filter(({ turn }) => turn > (last?.turn ?? -1));
}

/** Why an utterance does not count; undefined when it does. */
export function utteranceFault(state: RunState, utterance: Utterance): string | undefined {
  return turnFault(state.floors.get(utterance.episode), utterance);
}

/** How many episodes an agent plays at once. */
export type AtOnce = (agent: string) => number;

export function decide(state: RunState, atOnce: AtOnce): Command[] {
  if (state.ended) return [];
  if (!state.study) return [{ do: 'start-run' }];
  const episodes = [...state.episodes.values()];
  if (episodes.every(({ is }) => is === 'finished')) {
    return [{ do: 'finish-run', episodes: episodes.length, turns: countTurns(state) }];
  }
  return [...closing(state), ...seating(state), ...starting(state, atOnce)];
}

/** The running episodes of an agent, with what has been said in them so far. */
export function episodesOf(
  state: RunState,
  agent: string,
): { episode: PlannedEpisode; now: RunningEpisode; role: number }[] {
  return openEpisodes(state).flatMap(({ episode, now }) => {
    const role = now.seats.findIndex((seat) => seat.agent === agent);
    return role < 0 ? [] : [{ episode, now, role }];
  });
}

/** The episodes that run and have turns to come, in the order of the plan. */
export function openEpisodes(state: RunState): { episode: PlannedEpisode; now: RunningEpisode }[] {
  return state.plan.flatMap((episode) => {
    const now = state.episodes.get(episode.id);
    return now?.is === 'running' && !now.closedBy ? [{ episode, now }] : [];
  });
}

export function countTurns(state: RunState): number {
  return [...state.episodes.values()].reduce((sum, episode) => sum + turnsOf(episode), 0);
}

export function countEpisodes(state: RunState): Record<EpisodeState['is'], number> {
  const counts = { planned: 0, running: 0, finished: 0 };
  for (const { is } of state.episodes.values()) counts[is] += 1;
  return counts;
}

function closing(state: RunState): Command[] {
  return [...state.episodes].flatMap(([episode, was]): Command[] =>
    was.is === 'running' && was.closedBy
      ? [{ do: 'finish-episode', episode, turns: was.spoken.length, finish: was.closedBy }]
      : [],
  );
}

/** Those who have a role, to be told so; a coordinator that restarts tells them again, which changes nothing. */
function seating(state: RunState): Command[] {
  return openEpisodes(state).flatMap(({ episode, now }) =>
    now.seats.map(({ agent, tookOverAs }, role): Command => ({
      do: 'seat',
      episode,
      role,
      agent,
      tookOverAs,
    })),
  );
}

/** The next planned episodes whose agents all have room, in the order of the plan. */
function starting(state: RunState, atOnce: AtOnce): Command[] {
  const playing = new Map<string, number>();
  const commands: Command[] = [];
  const count = (agent: string): number => playing.get(agent) ?? 0;
  for (const episode of state.plan) {
    const was = state.episodes.get(episode.id);
    if (was?.is === 'finished') continue;
    const agents = was?.is === 'running' ? was.seats.map(({ agent }) => agent) : seatedAgents(episode);
    if (was?.is === 'planned' && agents.every((agent) => count(agent) < atOnce(agent)))
      commands.push({ do: 'start-episode', episode });
    // A planned episode that must wait keeps its agents: later episodes never overtake it.
    for (const agent of agents) playing.set(agent, count(agent) + 1);
  }
  return commands;
}

function turnsOf(episode: EpisodeState): number {
  if (episode.is === 'planned') return 0;
  return episode.is === 'running' ? episode.spoken.length : episode.turns;
}

function begun(state: RunState, id: string): RunningEpisode {
  const episode = state.plan.find((planned) => planned.id === id);
  const seats = episode ? firstSeats(episode) : [];
  return { is: 'running', spoken: [], alternatives: [], closedBy: undefined, seats };
}

/** Who has which seat as planned. */
export function firstSeats(episode: PlannedEpisode): Seat[] {
  return seatedAgents(episode).map((agent) => ({ agent, seating: 0, tookOverAs: undefined }));
}

/** @param change gives the new seat of a role, or undefined where it stays as it is */
function withSeat(
  state: RunState,
  id: string,
  change: (seat: Seat, role: number) => Seat | undefined,
): RunState {
  return withEpisode(state, id, (was) =>
    was.is === 'running' ? { ...was, seats: was.seats.map((seat, role) => change(seat, role) ?? seat) } : was,
  );
}

function withEpisode(state: RunState, id: string, change: (was: EpisodeState) => EpisodeState): RunState {
  const was = state.episodes.get(id);
  if (!was) return state;
  return { ...state, episodes: new Map(state.episodes).set(id, change(was)) };
}
