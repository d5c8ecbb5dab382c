/** The agent's metrics; the only module of this program that uses prom-client. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { systemClock } from '../process/clock.ts';
import { addProcessMetrics } from '../process/metrics.ts';
import { addGpuMetrics } from './gpu/metrics.ts';
import { createGpuReader } from './gpu/read-gpus.ts';
import type { ModelInfo, Spoken } from '../model/types.ts';

export interface StreamFigures {
  connected: boolean;
  spoolBytes: number;
  spoolShare: number;
  ackLagMs: number;
  /** How often a full spool paused the agent. */
  pauses: { turn: number; token: number };
}

export interface AgentMetrics {
  spoke(spoken: Spoken): void;
  heard(audible: boolean): void;
  episode(outcome: 'finished' | 'failed'): void;
  text(): Promise<string>;
}

export interface AgentMetricsSources {
  agent: string;
  version: string;
  model: ModelInfo;
  /** Folder of its spools. */
  folder: string;
  /** By run, the one that it joined last at the end. */
  streams(): Iterable<readonly [run: string, StreamFigures]>;
  natsUp(): boolean;
}

export function createAgentMetrics(sources: AgentMetricsSources): AgentMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ agent: sources.agent });
  addProcessMetrics(registry, sources.folder);
  addGpuMetrics(registry, createGpuReader(systemClock));
  runGauges(registry, sources);
  natsGauge(registry, sources);
  infos(registry, sources);
  const counters = createCounters(registry);
  const firstToken = histogram(
    registry,
    'entrain_agent_first_token_seconds',
    'Time from taking the turn to the first token.',
  );
  const step = histogram(registry, 'entrain_agent_step_seconds', 'Mean time of one token in an utterance.');
  return {
    spoke: (spoken) => {
      counters.tokens.inc(spoken.tokens);
      counters.utterances.inc({ finish: spoken.finish });
      counters.droppedTurns.inc(spoken.droppedTurns);
      firstToken.observe(spoken.firstTokenMs / 1000);
      if (spoken.tokens > 1)
        step.observe((spoken.totalMs - spoken.firstTokenMs) / 1000 / (spoken.tokens - 1));
    },
    heard: (audible) => counters.heard.inc({ audible: String(audible) }),
    episode: (outcome) => counters.episodes.inc({ outcome }),
    text: () => registry.metrics(),
  };
}

function createCounters(registry: Registry) {
  const registers = [registry];
  return {
    tokens: new Counter({ name: 'entrain_agent_tokens_total', help: 'Tokens spoken.', registers }),
    utterances: new Counter({
      name: 'entrain_agent_utterances_total',
      help: 'Utterances spoken, by how they ended.',
      labelNames: ['finish'],
      registers,
    }),
    droppedTurns: new Counter({
      name: 'entrain_agent_dropped_turns_total',
      help: 'Turns left out of a prompt because the context was full.',
      registers,
    }),
    heard: new Counter({
      name: 'entrain_agent_heard_total',
      help: 'Utterances of peers, by whether the condition let this agent hear them.',
      labelNames: ['audible'],
      registers,
    }),
    episodes: new Counter({
      name: 'entrain_agent_episodes_total',
      help: 'Episodes played, by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
  };
}

/** Labels of a program that goes on for months stay few: so many runs at once, those that it joined last. */
const MOST_RUNS = 16;

type Reading = readonly [labels: Record<string, string>, value: number];

interface RunGauge {
  name: string;
  help: string;
  labelNames?: string[];
}

/** One for each run that the agent takes part in, as long as it does. */
function runGauges(registry: Registry, { streams }: AgentMetricsSources): void {
  const gauge = (about: RunGauge, read: (figures: StreamFigures) => Reading[]): Gauge =>
    new Gauge({
      ...about,
      labelNames: ['run', ...(about.labelNames ?? [])],
      registers: [registry],
      collect() {
        this.reset();
        for (const [run, figures] of [...streams()].slice(-MOST_RUNS))
          for (const [labels, value] of read(figures)) this.set({ run, ...labels }, value);
      },
    });
  gauge(
    { name: 'entrain_agent_spool_bytes', help: 'Bytes spooled and not yet acknowledged.' },
    ({ spoolBytes }) => [[{}, spoolBytes]],
  );
  gauge(
    {
      name: 'entrain_agent_spool_ratio',
      help: 'Share of the spool that is taken; from 0.8 on the agent waits between turns.',
    },
    ({ spoolShare }) => [[{}, spoolShare]],
  );
  gauge(
    { name: 'entrain_agent_stream_up', help: 'Whether the activation stream is connected.' },
    ({ connected }) => [[{}, Number(connected)]],
  );
  gauge(
    { name: 'entrain_agent_ack_lag_seconds', help: 'Age of the oldest frame not yet acknowledged.' },
    ({ ackLagMs }) => [[{}, ackLagMs / 1000]],
  );
  gauge(
    {
      name: 'entrain_agent_pauses',
      help: 'How often a full spool made the agent wait, between turns or between tokens.',
      labelNames: ['between'],
    },
    ({ pauses }) => Object.entries(pauses).map(([between, count]) => [{ between }, count]),
  );
}

function natsGauge(registry: Registry, { natsUp }: AgentMetricsSources): void {
  new Gauge({
    name: 'entrain_nats_up',
    help: 'Whether NATS is connected.',
    registers: [registry],
    collect() {
      this.set(Number(natsUp()));
    },
  });
}

function infos(registry: Registry, { model, version }: AgentMetricsSources): void {
  const info = (name: string, help: string, labels: Record<string, string>): void =>
    new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] }).set(labels, 1);
  info('entrain_build_info', 'The running version.', { version, program: 'agent' });
  info('entrain_model_info', 'The model this agent runs, and where.', {
    model: model.name,
    provider: model.provider,
    layers: String(model.layers),
    dims: String(model.dims),
  });
}

function histogram(registry: Registry, name: string, help: string): Histogram {
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
  return new Histogram({ name, help, buckets, registers: [registry] });
}
