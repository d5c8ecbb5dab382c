/** The fleet as all runs of a coordinator share it: one look at it serves them all, and an agent belongs to one run. */
import type { Clock } from '../../process/clock.ts';
import type { AgentPool } from '../lead/agent-pool.ts';
import type { FleetSource } from '../fleet.ts';

/** Runs look every two seconds. */
const FRESH_MS = 1000;

export interface FleetShare {
  source: FleetSource;
  /** The run that has an agent. */
  runOf(agent: string): string | undefined;
  agentsOf(run: string): string[];
  /** The agents that a run may use: its own, and those that no run has. */
  poolOf(run: string): AgentPool;
  /** Gives the agents of a run back. */
  giveBack(run: string): void;
}

export interface ShareOptions {
  source: FleetSource;
  clock: Clock;
  /** Whether an agent may be given to a run; whether it counts as there for the run that has it. */
  admits(agent: string): 'any' | 'own' | 'none';
}

export function shareFleet({ source, clock, admits }: ShareOptions): FleetShare {
  const held = new Map<string, string>();
  const fresh: FleetSource = {
    agents: keepFresh(() => source.agents(), clock),
    analyzers: keepFresh(() => source.analyzers(), clock),
  };
  const isFor = (run: string, agent: string): boolean => {
    const holder = held.get(agent);
    return holder === run ? admits(agent) !== 'none' : holder === undefined && admits(agent) === 'any';
  };
  return {
    source: fresh,
    runOf: (agent) => held.get(agent),
    agentsOf: (run) => [...held].filter(([, holder]) => holder === run).map(([agent]) => agent),
    giveBack: (run) => {
      for (const [agent, holder] of held) if (holder === run) held.delete(agent);
    },
    poolOf: (run) => ({
      isShared: true,
      analyzers: fresh.analyzers,
      agents: async () => {
        const { agents, strangers } = await fresh.agents();
        return { agents: new Map([...agents].filter(([agent]) => isFor(run, agent))), strangers };
      },
      take: (agent) => {
        if (!isFor(run, agent)) return false;
        held.set(agent, run);
        return true;
      },
    }),
  };
}

/** Whoever asks while an answer is under way, or fresh, gets that one. */
function keepFresh<T>(ask: () => Promise<T>, clock: Clock): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let askedMs = 0;
  return () => {
    if (answer && clock.monotonicMs() - askedMs < FRESH_MS) return answer;
    askedMs = clock.monotonicMs();
    answer = ask();
    answer.catch(() => (answer = undefined));
    return answer;
  };
}
