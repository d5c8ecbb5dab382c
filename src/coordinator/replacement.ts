/** Who takes the place of an agent that stays away: a pure choice, so that it can be tried without a fleet. */
import type { AgentModel } from '../protocol/control.ts';
import type { Takeover } from './execute.ts';
import { openEpisodes, type RunState, type RunningEpisode } from './run-state.ts';

export interface FleetNow {
  /** Agents that answer, by id. */
  present: ReadonlyMap<string, { instance: string; model: AgentModel }>;
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
 * A free agent with the same model takes a role over. While all of them are busy with episodes that will end, the role waits;
 * when there is none, or each waits for a lost agent itself, there is no hope.
 */
export function chooseStandIns(state: RunState, fleet: FleetNow): StandIns {
  const open = openEpisodes(state);
  const isStuck = ({ seats }: RunningEpisode): boolean => seats.some(({ agent }) => fleet.lost.has(agent));
  const busy = new Set(open.flatMap(({ now }) => agentsOf(now)));
  const stuck = new Set(open.filter(({ now }) => isStuck(now)).flatMap(({ now }) => agentsOf(now)));
  const chosen: StandIns = { takeovers: [], hopeless: [] };
  for (const { episode, now } of open) {
    for (const [role, { agent: lost }] of now.seats.entries()) {
      if (!fleet.lost.has(lost)) continue;
      const able = candidates(fleet, lost).filter(([agent]) => !stuck.has(agent));
      const free = able.find(([agent]) => !busy.has(agent));
      if (able.length === 0) chosen.hopeless.push(lost);
      if (!free) continue;
      const [agent, { instance }] = free;
      busy.add(agent);
      chosen.takeovers.push({ episode: episode.id, role, lost, agent, instance });
    }
  }
  return chosen;
}

/** In the order of their names, so that the choice does not depend on who answered first. */
function candidates({ present, lost, modelOf }: FleetNow, of: string) {
  const sha256 = modelOf(of)?.sha256;
  return [...present]
    .filter(([agent, { model }]) => !lost.has(agent) && model.sha256 === sha256)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const agentsOf = ({ seats }: RunningEpisode): string[] => seats.map(({ agent }) => agent);
