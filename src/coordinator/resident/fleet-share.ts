/** The fleet as all runs of a coordinator share it: one look at it serves them all, and an agent belongs to one run. */
import type { Clock } from '../../process/clock.ts';
import type { AgentPool } from '../lead/agent-pool.ts';
import type { FleetAnalyzer, FleetSource } from '../fleet.ts';

/** Runs look every two seconds. */
const FRESH_MS = 1000;

export interface FleetShare {
  source: FleetSource;
  /** The run that has an agent. */
  runOf(agent: string): string | undefined;
  agentsOf(run: string): string[];
  /** The analyzer that has a run; undefined for a run that is not led. */
  recorderOf(run: string): string | undefined;
  /** How many agents the runs of an analyzer have. */
  loadOf(analyzer: string): number;
  /**
   * The agents that a run may use: its own, and those that no run has. Its analyzer is the first of those it is given,
   * which is the one with the least load unless the run has one.
   */
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
  const recorders = shareAnalyzers((run) => agentsWith(held, run).length);
  return {
    source: fresh,
    runOf: (agent) => held.get(agent),
    agentsOf: (run) => agentsWith(held, run),
    recorderOf: recorders.of,
    loadOf: recorders.loadOf,
    giveBack: (run) => {
      for (const [agent, holder] of held) if (holder === run) held.delete(agent);
      recorders.giveBack(run);
    },
    poolOf: (run) => ({
      isShared: true,
      analyzers: async () => {
        const { analyzers, strangers } = await fresh.analyzers();
        return { analyzers: recorders.inOrderFor(run, analyzers), strangers };
      },
      recordedBy: (analyzer) => recorders.give(run, analyzer),
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

const agentsWith = (held: ReadonlyMap<string, string>, run: string): string[] =>
  [...held].filter(([, holder]) => holder === run).map(([agent]) => agent);

/** Which run has which analyzer. */
function shareAnalyzers(weightOf: (run: string) => number) {
  const homes = new Map<string, string>();
  const loadOf = (analyzer: string, but?: string): number =>
    [...homes]
      .filter(([run, id]) => id === analyzer && run !== but)
      .reduce((sum, [run]) => sum + weightOf(run), 0);
  return {
    of: (run: string) => homes.get(run),
    loadOf: (analyzer: string) => loadOf(analyzer),
    give: (run: string, analyzer: string) => void homes.set(run, analyzer),
    giveBack: (run: string) => void homes.delete(run),
    inOrderFor: (run: string, analyzers: readonly FleetAnalyzer[]): FleetAnalyzer[] => {
      const rank = ({ id }: FleetAnalyzer): number => (homes.get(run) === id ? -1 : loadOf(id, run));
      const ordered = analyzers.toSorted((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
      // Chosen at once, so that of two runs that begin at the same time the second one counts the first.
      if (!homes.has(run) && ordered[0]) homes.set(run, ordered[0].id);
      return ordered;
    },
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
