/**
 * The state of a run as a pure reduction of what the run's stream holds, and the decisions that follow from it. No clock,
 * no socket: kill the coordinator anywhere, replay the stream, and it decides the same.
 *
 *   stream ─▶ reduce ─▶ RunState ─▶ decide ─▶ commands ─▶ (published) ─▶ stream
 */
import type { RunEvent, Utterance } from '../protocol/control.ts';
import type { PlannedEpisode } from './plan.ts';

export type EpisodeState =
  | { is: 'planned' }
  | { is: 'running'; spoken: readonly Utterance[]; closedBy: 'turns' | 'leave' | undefined }
  | { is: 'finished'; turns: number };

export interface RunState {
  plan: readonly PlannedEpisode[];
  maxTurns: number;
  episodes: ReadonlyMap<string, EpisodeState>;
  started: boolean;
  ended: { as: 'finished' } | { as: 'failed'; reason: string } | undefined;
}

export type Command =
  | { do: 'start-run' }
  | { do: 'start-episode'; episode: PlannedEpisode }
  | { do: 'finish-episode'; episode: string; turns: number; finish: 'turns' | 'leave' }
  | { do: 'finish-run'; episodes: number; turns: number };

export function initialState(plan: readonly PlannedEpisode[], maxTurns: number): RunState {
  const episodes = new Map<string, EpisodeState>(plan.map(({ id }) => [id, { is: 'planned' }]));
  return { plan, maxTurns, episodes, started: false, ended: undefined };
}

export function reduceEvent(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'run-started':
      return { ...state, started: true };
    case 'episode-started':
      return withEpisode(state, event.episode, (was) =>
        was.is === 'planned' ? { is: 'running', spoken: [], closedBy: undefined } : was,
      );
    case 'episode-resumed':
      return state;
    case 'episode-finished':
      return withEpisode(state, event.episode, () => ({ is: 'finished', turns: event.turns }));
    case 'run-finished':
      return { ...state, ended: { as: 'finished' } };
    case 'run-failed':
      return { ...state, ended: { as: 'failed', reason: event.reason } };
  }
}

/** An utterance may come before the event that its episode has started: the agents do not wait for the coordinator. */
export function reduceUtterance(state: RunState, utterance: Utterance): RunState {
  return withEpisode(state, utterance.episode, (was) => {
    if (was.is === 'finished') return was;
    const before = was.is === 'running' ? was.spoken : [];
    if (before.some(({ turn }) => turn === utterance.turn)) return was;
    const spoken = [...before, utterance].toSorted((a, b) => a.turn - b.turn);
    const closedBy =
      utterance.finish === 'leave' ? 'leave' : spoken.length >= state.maxTurns ? 'turns' : undefined;
    return { is: 'running', spoken, closedBy };
  });
}

export function decide(state: RunState): Command[] {
  if (state.ended) return [];
  if (!state.started) return [{ do: 'start-run' }];
  const episodes = [...state.episodes.values()];
  if (episodes.every(({ is }) => is === 'finished')) {
    return [{ do: 'finish-run', episodes: episodes.length, turns: countTurns(state) }];
  }
  return [...closing(state), ...starting(state)];
}

/** The running episode of an agent, with what has been said in it so far. */
export function episodeOf(
  state: RunState,
  agent: string,
): { episode: PlannedEpisode; spoken: readonly Utterance[] } | undefined {
  for (const episode of state.plan) {
    const was = state.episodes.get(episode.id);
    if (was?.is === 'running' && !was.closedBy && episode.order.includes(agent))
      return { episode, spoken: was.spoken };
  }
  return undefined;
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

/** The next planned episodes whose agents are all free, in the order of the plan. */
function starting(state: RunState): Command[] {
  const busy = new Set<string>();
  const commands: Command[] = [];
  for (const episode of state.plan) {
    const was = state.episodes.get(episode.id)?.is;
    if (was === 'finished') continue;
    if (was === 'planned' && episode.order.every((agent) => !busy.has(agent)))
      commands.push({ do: 'start-episode', episode });
    // A planned episode that must wait keeps its agents: later episodes never overtake it.
    for (const agent of episode.order) busy.add(agent);
  }
  return commands;
}

function turnsOf(episode: EpisodeState): number {
  if (episode.is === 'planned') return 0;
  return episode.is === 'running' ? episode.spoken.length : episode.turns;
}

function withEpisode(state: RunState, id: string, change: (was: EpisodeState) => EpisodeState): RunState {
  const was = state.episodes.get(id);
  if (!was) return state;
  return { ...state, episodes: new Map(state.episodes).set(id, change(was)) };
}
