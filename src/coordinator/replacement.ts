/** Who takes the place of an agent that stays away: a pure choice, so that it can be tried without a fleet. */
import type { AgentModel } from '../protocol/control.ts';
import type { Takeover } from './execute.ts';
import { openEpisodes, type RunState, type RunningEpisode } from './run-state.ts';

export interface FleetNow {
  /** Agents that answer, by id. */
  present: ReadonlyMap<string, { instance: string; model: AgentModel; atOnce: number }>;
  /** Agents that have been away for longer than the grace. */
  lost: ReadonlySet<string>;
  /** The model of an agent of the run, also of one that is away. */
  modelOf(agent: string): AgentModel | undefined;
}

export interface StandIns {
  takeovers: Takeover[];
  /** Lost agents with an episode that nobody can ever take over. */
  hopeless: string[];
}

/**
 * An agent with the same model that plays fewer episodes than it can takes a role over, unless it has another role of the
 * episode. While all of them are busy with episodes that will end, the role waits;
 * when there is none, or each waits for a lost agent itself, there is no hope.
 */
export function chooseStandIns(state: RunState, fleet: FleetNow): StandIns {
  const open = openEpisodes(state);
  const playing = countSeats(open);
  const waiting = countSeats(open.filter(({ now }) => agentsOf(now).some((agent) => fleet.lost.has(agent))));
  const chosen: StandIns = { takeovers: [], hopeless: [] };
  for (const { episode, now } of open) {
    for (const [role, { agent: lost }] of now.seats.entries()) {
      if (!fleet.lost.has(lost)) continue;
      const elsewhere = candidates(fleet, lost).filter(
        ([agent]) => !takesPart(agent, { episode, now, chosen }),
      );
      const able = elsewhere.filter(([agent, { atOnce }]) => waiting(agent) < atOnce);
      const free = able.find(([agent, { atOnce }]) => playing(agent) < atOnce);
      if (able.length === 0) chosen.hopeless.push(lost);
      if (!free) continue;
      const [agent, { instance }] = free;
      playing(agent, 1);
      chosen.takeovers.push({ episode: episode.id, role, lost, agent, instance });
    }
  }
  return chosen;
}

/** @returns in how many of these episodes an agent has a role, and as many more as are added */
function countSeats(episodes: readonly { now: RunningEpisode }[]): (agent: string, more?: number) => number {
  const counts = new Map<string, number>();
  const count = (agent: string, more = 0): number => {
    const sum = (counts.get(agent) ?? 0) + more;
    counts.set(agent, sum);
    return sum;
  };
  for (const { now } of episodes) for (const agent of agentsOf(now)) count(agent, 1);
  return count;
}

interface Part {
  episode: { id: string };
  now: RunningEpisode;
  chosen: StandIns;
}

/** An agent has one role in an episode. */
function takesPart(agent: string, { episode, now, chosen }: Part): boolean {
  const taken = chosen.takeovers.filter((takeover) => takeover.episode === episode.id);
  return agentsOf(now).includes(agent) || taken.some((takeover) => takeover.agent === agent);
}

/** In the order of their names, so that the choice does not depend on who answered first. */
function candidates({ present, lost, modelOf }: FleetNow, of: string) {
  const sha256 = modelOf(of)?.sha256;
  return [...present]
    .filter(([agent, { model }]) => !lost.has(agent) && model.sha256 === sha256)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const agentsOf = ({ seats }: RunningEpisode): string[] => seats.map(({ agent }) => agent);
