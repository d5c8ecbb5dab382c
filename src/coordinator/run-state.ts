/**
 * The state of a run as a pure reduction of its stream, and the decisions that follow from it. It uses no clock and
 * no socket: after a kill, the coordinator replays the stream and decides the same.
 *   stream ─▶ reduce ─▶ RunState ─▶ decide ─▶ commands ─▶ (published) ─▶ stream
 */
import { isBasis } from '../protocol/branches.ts';
import type { RunEvent, Utterance } from '../protocol/nats-messages.ts';
import { endOfTalk } from '../protocol/early-end.ts';
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
import { agentsOfEpisode, controlOf, type PlannedEpisode } from './plan.ts';

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
  episodes: ReadonlyMap<string, EpisodeState>;
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

export type Command =
  | { do: 'start-run' }
  | { do: 'start-episode'; episode: PlannedEpisode }
  | {
      do: 'assign-role';
      episode: PlannedEpisode;
      role: number;
      agent: string;
      tookOverAs: string | undefined;
    }
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

/** Number of episodes that an agent plays at once. */
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

/** The running episodes of an agent, with the utterances so far. */
export function episodesOf(
  state: RunState,
  agent: string,
): { episode: PlannedEpisode; now: RunningEpisode; role: number }[] {
  return openEpisodes(state).flatMap(({ episode, now }) => {
    const role = now.holders.findIndex((holder) => holder.agent === agent);
    return role < 0 ? [] : [{ episode, now, role }];
  });
}

/** The running episodes with turns to come, in the order of the plan. */
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

/** Commands that give every agent its role. After a restart of the coordinator they are repeated, without effect. */
function seating(state: RunState): Command[] {
  return openEpisodes(state).flatMap(({ episode, now }) =>
    now.holders.map(({ agent, tookOverAs }, role): Command => ({
      do: 'assign-role',
      episode,
      role,
      agent,
      tookOverAs,
    })),
  );
}

/** Starts planned episodes whose agents are all free, in order; one that waits for an agent holds up no other. */
function starting(state: RunState, atOnce: AtOnce): Command[] {
  const playing = new Map<string, number>();
  const commands: Command[] = [];
  const count = (agent: string): number => playing.get(agent) ?? 0;
  const take = (agents: readonly string[]): void => {
    for (const agent of agents) playing.set(agent, count(agent) + 1);
  };
  for (const was of state.episodes.values())
    if (was.is === 'running') take(was.holders.map(({ agent }) => agent));
  const kept = keptToTheEnd(state);
  for (const episode of state.plan) {
    if (state.episodes.get(episode.id)?.is !== 'planned') continue;
    // States are moved by what those of all earlier episodes have in common.
    if (!kept && !(state.study && isBasis(state.study, episode.round))) break;
    const control = state.study && controlOf(state.study, state.plan, episode);
    if (control && state.episodes.get(control.id)?.is !== 'finished') continue;
    const agents = agentsOfEpisode(episode);
    if (agents.some((agent) => count(agent) >= atOnce(agent))) continue;
    commands.push({ do: 'start-episode', episode });
    take(agents);
  }
  return commands;
}

/** Whether every episode whose states are kept for patches has ended; so too where none is. */
function keptToTheEnd({ plan, episodes, study }: RunState): boolean {
  return plan.every(
    ({ id, round }) => !(study && isBasis(study, round)) || episodes.get(id)?.is === 'finished',
  );
}

/** Whether any episode can go on, or begin, without agents that are lost. */
export function canGoOn(state: RunState, atOnce: AtOnce, lost: ReadonlySet<string>): boolean {
  const isWhole = ({ now }: { now: RunningEpisode }): boolean =>
    now.holders.every(({ agent }) => !lost.has(agent));
  return openEpisodes(state).some(isWhole) || starting(state, atOnce).length > 0;
}

function turnsOf(episode: EpisodeState): number {
  if (episode.is === 'planned') return 0;
  return episode.is === 'running' ? episode.spoken.length : episode.turns;
}

function begun(state: RunState, id: string): RunningEpisode {
  const episode = state.plan.find((planned) => planned.id === id);
  const holders = episode ? plannedHolders(episode) : [];
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

function withEpisode(state: RunState, id: string, change: (was: EpisodeState) => EpisodeState): RunState {
  const was = state.episodes.get(id);
  if (!was) return state;
  return { ...state, episodes: new Map(state.episodes).set(id, change(was)) };
}
