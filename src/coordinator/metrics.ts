/** The coordinator's metrics; the only module of this program that uses prom-client. */
import { Counter, Gauge, Registry } from 'prom-client';
import { addProcessMetrics } from '../process/metrics.ts';
import { countEpisodes, countTurns } from './state/decide.ts';
import type { EpisodeState, RunState } from './state/run-state.ts';

/** The figures of one run; the series have the label `run`. */
export interface RunMetrics {
  observe(state: RunState): void;
  /** A turn was spoken at this time, in milliseconds since 1970. */
  turnAt(atMs: number): void;
  agentLost(): void;
  takenOver(): void;
  /** This coordinator does not lead the run any more. */
  leave(): void;
}

export interface CoordinatorMetrics {
  ofRun(run: string): RunMetrics;
  text(): Promise<string>;
}

const labelNames = ['run'] as const;

export function createCoordinatorMetrics(sources: {
  version: string;
  /** Folder of the run folders. */
  folder: string;
  natsUp(): boolean;
  /** Further figures of this program. */
  add?(registry: Registry): void;
}): CoordinatorMetrics {
  const registry = new Registry();
  addProcessMetrics(registry, sources.folder);
  describeProgram(registry, sources);
  sources.add?.(registry);
  const all = runSeries(registry);
  return { ofRun: (run) => metricsOfRun(all, run), text: () => registry.metrics() };
}

function runSeries(registry: Registry) {
  const registers = [registry];
  return {
    info: new Gauge({
      name: 'entrain_run_info',
      help: 'The runs that this coordinator leads.',
      labelNames,
      registers,
    }),
    episodes: new Gauge({
      name: 'entrain_run_episodes',
      help: 'Episodes of the run, by state.',
      labelNames: ['run', 'state'],
      registers,
    }),
    turns: new Gauge({ name: 'entrain_run_turns', help: 'Turns spoken in the run.', labelNames, registers }),
    lastTurn: new Gauge({
      name: 'entrain_run_last_turn_timestamp_seconds',
      help: 'When the last turn came; before the first one, when this coordinator went on with the run.',
      labelNames,
      registers,
    }),
    lost: new Counter({
      name: 'entrain_run_agents_lost_total',
      help: 'Agents that stopped answering during an episode.',
      labelNames,
      registers,
    }),
    takeovers: new Counter({
      name: 'entrain_run_takeovers_total',
      help: 'Roles that another agent took over from one that stayed away.',
      labelNames,
      registers,
    }),
  };
}

function metricsOfRun(all: ReturnType<typeof runSeries>, run: string): RunMetrics {
  const { info, episodes, turns, lastTurn, lost, takeovers } = all;
  const states = Object.keys({ planned: 0, running: 0, finished: 0 } satisfies Record<EpisodeState['is'], 0>);
  info.set({ run }, 1);
  // A counter that is born at 1 has no increase.
  for (const counter of [lost, takeovers]) counter.inc({ run }, 0);
  return {
    observe: (state) => {
      for (const [name, count] of Object.entries(countEpisodes(state)))
        episodes.set({ run, state: name }, count);
      turns.set({ run }, countTurns(state));
    },
    turnAt: (atMs) => lastTurn.set({ run }, atMs / 1000),
    agentLost: () => lost.inc({ run }),
    takenOver: () => takeovers.inc({ run }),
    leave: () => {
      for (const state of states) episodes.remove({ run, state });
      for (const series of [info, turns, lastTurn, lost, takeovers]) series.remove({ run });
    },
  };
}

function describeProgram(registry: Registry, sources: { version: string; natsUp(): boolean }): void {
  const registers = [registry];
  new Gauge({
    name: 'entrain_nats_up',
    help: 'Whether NATS is connected.',
    registers,
    collect() {
      this.set(Number(sources.natsUp()));
    },
  });
  new Gauge({
    name: 'entrain_build_info',
    help: 'The running version.',
    labelNames: ['version', 'program'],
    registers,
  }).set({ version: sources.version, program: 'coordinator' }, 1);
}
