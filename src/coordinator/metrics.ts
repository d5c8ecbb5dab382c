/** The coordinator's metrics; the only module of this program that uses prom-client. */
import { Counter, Gauge, Registry } from 'prom-client';
import { addProcessMetrics } from '../process/metrics.ts';
import { countEpisodes, countTurns, type RunState } from './run-state.ts';

export interface CoordinatorMetrics {
  observe(state: RunState): void;
  /** A turn was spoken at this time, in milliseconds since 1970. */
  turnAt(atMs: number): void;
  agentLost(): void;
  takenOver(): void;
  text(): Promise<string>;
}

export function createCoordinatorMetrics(sources: {
  version: string;
  run: string;
  /** Folder of the run folders. */
  folder: string;
  natsUp(): boolean;
}): CoordinatorMetrics {
  const registry = new Registry();
  const registers = [registry];
  addProcessMetrics(registry, sources.folder);
  const episodes = new Gauge({
    name: 'entrain_run_episodes',
    help: 'Episodes of the run, by state.',
    labelNames: ['state'],
    registers,
  });
  const turns = new Gauge({ name: 'entrain_run_turns', help: 'Turns spoken in the run.', registers });
  const lastTurn = lastTurnGauge(registry);
  const lost = new Counter({
    name: 'entrain_run_agents_lost_total',
    help: 'Agents that stopped answering during an episode.',
    registers,
  });
  const takeovers = new Counter({
    name: 'entrain_run_takeovers_total',
    help: 'Roles that another agent took over from one that stayed away.',
    registers,
  });
  describeProgram(registry, sources);
  return {
    observe: (state) => {
      for (const [name, count] of Object.entries(countEpisodes(state))) episodes.set({ state: name }, count);
      turns.set(countTurns(state));
    },
    turnAt: (atMs) => lastTurn.set(atMs / 1000),
    agentLost: () => lost.inc(),
    takenOver: () => takeovers.inc(),
    text: () => registry.metrics(),
  };
}

function lastTurnGauge(registry: Registry): Gauge {
  return new Gauge({
    name: 'entrain_run_last_turn_timestamp_seconds',
    help: 'When the last turn came; before the first one, when this coordinator went on with the run.',
    registers: [registry],
  });
}

function describeProgram(
  registry: Registry,
  sources: { version: string; run: string; natsUp(): boolean },
): void {
  const registers = [registry];
  new Gauge({
    name: 'entrain_nats_up',
    help: 'Whether NATS is connected.',
    registers,
    collect() {
      this.set(Number(sources.natsUp()));
    },
  });
  const { run } = sources;
  const about = { name: 'entrain_run_info', help: 'The run that this coordinator leads.' };
  new Gauge({ ...about, labelNames: ['run'], registers }).set({ run }, 1);
  new Gauge({
    name: 'entrain_build_info',
    help: 'The running version.',
    labelNames: ['version', 'program'],
    registers,
  }).set({ version: sources.version, program: 'coordinator' }, 1);
}
