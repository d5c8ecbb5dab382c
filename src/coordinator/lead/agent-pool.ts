/** The agents that a run may use. A coordinator of one run has all of them; one of many runs shares them out. */
import type { NatsLink } from '../../transport/nats/connection.ts';
import { listAgents, listAnalyzers, type FleetSource } from '../fleet.ts';

/** Its agents are those that answer and belong to this run, or to none. */
export interface AgentPool extends FleetSource {
  /** Gives an agent to this run. @returns false if another run has it by now */
  take(agent: string): boolean;
  /** Notes which analyzer has this run; from then on it stands first among them. */
  recordedBy(analyzer: string): void;
  /** Whether other runs may have the agents that this one does not need. */
  isShared: boolean;
}

export const wholeFleet = (link: NatsLink): AgentPool => ({
  agents: () => listAgents(link),
  analyzers: () => listAnalyzers(link),
  take: () => true,
  recordedBy: () => undefined,
  isShared: false,
});
