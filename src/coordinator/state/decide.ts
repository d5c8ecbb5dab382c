/** What follows from the state of a run: what is to be done now, and what is asked about it. */
import type { PlannedEpisode } from '../plan.ts';
import { firstPlace, valueAt, withValue } from './place-map.ts';
import type { EpisodeState, RunningEpisode, RunState } from './run-state.ts';

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

/** Number of episodes that an agent plays at once. */
export type AtOnce = (agent: string) => number;

export function decide(state: RunState, atOnce: AtOnce): Command[] {
  if (state.ended) return [];
  if (!state.study) return [{ do: 'start-run' }];
  const episodes = state.plan.length;
  if (state.counts.finished === episodes) return [{ do: 'finish-run', episodes, turns: state.turns }];
  return [...closing(state), ...seating(state), ...starting(state, atOnce)];
}

/** The same for a command that is decided again, and short, since each is kept. */
export function nameOf(command: Command): string {
  return JSON.stringify(
    'episode' in command && typeof command.episode !== 'string'
      ? { ...command, episode: command.episode.id }
      : command,
  );
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
  return runningEpisodes(state).filter(({ now }) => !now.closedBy);
}

export const countTurns = ({ turns }: RunState): number => turns;

export const countEpisodes = ({ counts }: RunState): Readonly<Record<EpisodeState['is'], number>> => counts;

function runningEpisodes({
  plan,
  running,
  begun,
}: RunState): { episode: PlannedEpisode; now: RunningEpisode }[] {
  return running.flatMap((place) => {
    const episode = plan[place];
    const now = valueAt(begun, place);
    return episode && now?.is === 'running' ? [{ episode, now }] : [];
  });
}

function closing(state: RunState): Command[] {
  return runningEpisodes(state).flatMap(({ episode, now: { closedBy, spoken } }): Command[] =>
    closedBy ? [{ do: 'finish-episode', episode: episode.id, turns: spoken.length, finish: closedBy }] : [],
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

/**
 * Starts planned episodes whose agents are all free, in order; one that waits for an agent holds up no other. Only the
 * first ready episode of each crew is looked at.
 */
function starting(state: RunState, atOnce: AtOnce): Command[] {
  const { plan, index, ready, basisLeft } = state;
  const playing = new Map<string, number>();
  const count = (agent: string): number => playing.get(agent) ?? 0;
  const take = (agents: readonly string[]): void => {
    for (const agent of agents) playing.set(agent, count(agent) + 1);
  };
  for (const { now } of runningEpisodes(state)) take(now.holders.map(({ agent }) => agent));
  // States are moved by what those of all earlier episodes have in common.
  const end = basisLeft > 0 ? index.basis : plan.length;
  const rest = [...ready];
  const first = (crew: number): number => (rest[crew] && firstPlace(rest[crew])) ?? Infinity;
  const isFree = (crew: number): boolean =>
    (index.crews[crew] ?? []).every((agent) => count(agent) < atOnce(agent));
  let free = index.crews.flatMap((_, crew) => (isFree(crew) ? [{ crew, place: first(crew) }] : []));
  const commands: Command[] = [];
  for (;;) {
    free = free.filter(({ crew, place }) => place < end && isFree(crew));
    const next = free.reduce<(typeof free)[number] | undefined>(
      (best, one) => (best && best.place < one.place ? best : one),
      undefined,
    );
    const episode = next && plan[next.place];
    const set = next && rest[next.crew];
    if (!episode || !set) return commands;
    commands.push({ do: 'start-episode', episode });
    take(index.crews[next.crew] ?? []);
    rest[next.crew] = withValue(set, next.place, undefined);
    next.place = first(next.crew);
  }
}

/** Whether any episode can go on, or begin, without agents that are lost. */
export function canGoOn(state: RunState, atOnce: AtOnce, lost: ReadonlySet<string>): boolean {
  const isWhole = ({ now }: { now: RunningEpisode }): boolean =>
    now.holders.every(({ agent }) => !lost.has(agent));
  return openEpisodes(state).some(isWhole) || starting(state, atOnce).length > 0;
}
