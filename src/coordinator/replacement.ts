/** Chooses which agent takes over the role of one that stays away; a pure function. */
import type { AgentModel } from '../protocol/agent-model.ts';
import type { Takeover } from './carry-out-command.ts';
import { openEpisodes } from './state/decide.ts';
import type { RunState, RunningEpisode } from './state/run-state.ts';

export interface FleetNow {
  /** Agents that answer, by id. */
  present: ReadonlyMap<string, { instance: string; model: AgentModel; atOnce: number }>;
  /** Agents that have been away for longer than the grace period. */
  lost: ReadonlySet<string>;
  /** Model of an agent of the run, also of one that is away. */
  modelOf(agent: string): AgentModel | undefined;
}

export interface Replacements {
  takeovers: Takeover[];
  /** Lost agents with a role that no agent can ever take over. */
  hopeless: string[];
}

/**
 * Chooses for each lost role an agent with the same model that plays fewer episodes than it can and has no other role
 * in the episode. While all candidates are busy with episodes that will end, the role waits. If there is no
 * candidate, or each plays as many episodes as it can and all of these wait for lost agents, the role is hopeless.
 */
export function chooseReplacements(state: RunState, fleet: FleetNow): Replacements {
  const open = openEpisodes(state);
  const playing = countRoles(open);
  const waiting = countRoles(open.filter(({ now }) => agentsOf(now).some((agent) => fleet.lost.has(agent))));
  const chosen: Replacements = { takeovers: [], hopeless: [] };
  for (const { episode, now } of open) {
    for (const [role, { agent: lost }] of now.holders.entries()) {
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

/** Lost agents that no present agent has the model of: no episode of theirs may begin. */
export function withoutStandIn(fleet: FleetNow): string[] {
  return [...fleet.lost].filter((agent) => candidates(fleet, agent).length === 0);
}

/**
 * @returns a function that gives the number of these episodes in which an agent has a role, plus those added with
 * `more`
 */
function countRoles(episodes: readonly { now: RunningEpisode }[]): (agent: string, more?: number) => number {
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
  chosen: Replacements;
}

/** Whether the agent has, or was chosen for, a role in the episode. */
function takesPart(agent: string, { episode, now, chosen }: Part): boolean {
  const taken = chosen.takeovers.filter((takeover) => takeover.episode === episode.id);
  return agentsOf(now).includes(agent) || taken.some((takeover) => takeover.agent === agent);
}

/** Sorted by name, so that the choice does not depend on which agent answered first. */
function candidates({ present, lost, modelOf }: FleetNow, of: string) {
  const sha256 = modelOf(of)?.sha256;
  return [...present]
    .filter(([agent, { model }]) => !lost.has(agent) && model.sha256 === sha256)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const agentsOf = ({ holders }: RunningEpisode): string[] => holders.map(({ agent }) => agent);
