/**
 * Carries out decisions about a run: the commands of `decide`, an agent that came back, a role that is taken over.
 */
import type { Clock } from '../process/clock.ts';
import type { Alternative } from '../protocol/nats-messages.ts';
import { controlOf, countPlanned, plannedBranches } from './plan.ts';
import { publishEvent, publishSpec, type PublishOptions } from './publish.ts';
import { episodesOf, type Command } from './state/decide.ts';
import { episodeOf, type RunningEpisode, type RunState } from './state/run-state.ts';
import type { PlannedEpisode } from './plan.ts';

export interface CarryOptions extends PublishOptions {
  clock: Clock;
}

export interface Takeover {
  episode: string;
  role: number;
  lost: string;
  agent: string;
  instance: string;
}

export async function carryOut(options: CarryOptions, state: RunState, command: Command): Promise<void> {
  const { run, study, clock } = options;
  const atMs = clock.nowMs();
  switch (command.do) {
    case 'start-run': {
      const episodes = countPlanned(study);
      return publishEvent(options, { type: 'run-started', run, study, episodes, atMs });
    }
    case 'start-episode':
      return startEpisode(options, state, command.episode);
    case 'assign-role': {
      const { episode, role } = command;
      const now = episodeOf(state, episode.id);
      if (now?.is !== 'running') return;
      return publishSpec(options, {
        ...partOf(options, state, { episode, now, role }),
        holders: now.holders,
      });
    }
    case 'finish-episode': {
      const { episode, turns, finish } = command;
      return publishEvent(options, { type: 'episode-finished', episode, turns, finish, atMs });
    }
    case 'finish-run': {
      const { episodes, turns } = command;
      return publishEvent(options, { type: 'run-finished', run, episodes, turns, atMs });
    }
  }
}

async function startEpisode(options: CarryOptions, state: RunState, episode: PlannedEpisode): Promise<void> {
  const { study, clock } = options;
  const { id, scenario, condition, order, reader, seed } = episode;
  const branches = plannedBranches(study, episode);
  const control = controlOf(study, state.plan, episode);
  return publishEvent(options, {
    type: 'episode-started',
    episode: id,
    scenario: scenario.id,
    condition,
    order,
    reader,
    maxTurns: study.maxTurns,
    seed,
    ...(branches ? { branches } : {}),
    ...(control ? { control: control.id } : {}),
    atMs: clock.nowMs(),
  });
}

/** Gives an agent that came back its running episodes again, with the utterances so far. */
export async function resumeEpisodes(options: CarryOptions, state: RunState, agent: string): Promise<void> {
  for (const { episode, now, role } of episodesOf(state, agent)) {
    const instance = options.fleet.agents.get(agent)?.instance ?? '';
    const holders = now.holders.map((holder, at) =>
      at === role ? { ...holder, seating: holder.seating + 1 } : holder,
    );
    await publishSpec(options, { ...partOf(options, state, { episode, now, role }), holders });
    const event = {
      type: 'episode-resumed' as const,
      episode: episode.id,
      agent,
      instance,
      turn: now.spoken.length,
      atMs: options.clock.nowMs(),
    };
    // The same instance may leave and come back more than once.
    await publishEvent(options, event, holders[role]?.seating);
  }
}

/**
 * The utterances so far, the alternatives whose reply states the agent still has to send, and the talk behind which it
 * reads every turn as well.
 */
function partOf(
  { study }: Pick<CarryOptions, 'study'>,
  state: RunState,
  { episode, now, role }: { episode: PlannedEpisode; now: RunningEpisode; role: number },
) {
  const alternatives = owedReplies(now, { role, speakers: episode.order.length });
  const other = controlOf(study, state.plan, episode);
  const ended = other && episodeOf(state, other.id);
  const control =
    other && ended?.is === 'finished'
      ? { episode: other.id, seed: other.seed, history: [...(ended.spoken ?? [])] }
      : null;
  return { episode, index: role, history: now.spoken, alternatives, control };
}

/**
 * Alternatives whose reply states are due from an agent that plays an episode from here on: those after the last turn
 * of its role.
 */
export function owedReplies(
  { spoken, alternatives }: Pick<RunningEpisode, 'spoken' | 'alternatives'>,
  { role, speakers }: { role: number; speakers: number },
): Alternative[] {
  const last = role < speakers ? spoken.findLast(({ turn }) => turn % speakers === role) : undefined;
  return alternatives.filter(({ turn }) => turn > (last?.turn ?? -1));
}

/** A run may fail and be started again any number of times. */
export async function publishFailure(options: CarryOptions, state: RunState, reason: string): Promise<void> {
  if (state.ended) return;
  const event = { type: 'run-failed', run: options.run, reason, atMs: options.clock.nowMs() } as const;
  return publishEvent(options, event, state.failures + 1);
}

export function publishResumption(options: CarryOptions, state: RunState): Promise<void> {
  const event = { type: 'run-resumed', run: options.run, atMs: options.clock.nowMs() } as const;
  return publishEvent(options, event, state.failures);
}

/** A part that was said before is not said again. */
export function publishRecorder(
  options: CarryOptions,
  of: { analyzer: string; part: number },
): Promise<void> {
  const event = { type: 'run-recorded', run: options.run, ...of, atMs: options.clock.nowMs() } as const;
  return publishEvent(options, event, of.part);
}

/** Publishes that another agent has a role from now on; `decide` then gives it its spec. */
export async function publishTakeover(
  options: CarryOptions,
  state: RunState,
  change: Takeover,
): Promise<void> {
  const now = episodeOf(state, change.episode);
  const turn = now?.is === 'running' ? now.spoken.length : 0;
  const atMs = options.clock.nowMs();
  await publishEvent(options, { type: 'episode-taken-over', ...change, turn, atMs });
}
