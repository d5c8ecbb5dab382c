/** The agent's metrics; the only module of this program that uses prom-client. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { addProcessMetrics } from '../process/metrics.ts';
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
  stream(): StreamFigures | undefined;
  natsUp(): boolean;
}

export function createAgentMetrics(sources: AgentMetricsSources): AgentMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ agent: sources.agent });
  addProcessMetrics(registry, sources.folder);
  gauges(registry, sources);
  infos(registry, sources);
  pauseGauge(registry, sources);
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

function gauges(registry: Registry, sources: AgentMetricsSources): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  gauge(
    'entrain_agent_spool_bytes',
    'Bytes spooled and not yet acknowledged.',
    () => sources.stream()?.spoolBytes ?? 0,
  );
  gauge(
    'entrain_agent_spool_ratio',
    'Share of the spool that is taken; from 0.8 on the agent waits between turns.',
    () => sources.stream()?.spoolShare ?? 0,
  );
  gauge('entrain_agent_stream_up', 'Whether the activation stream is connected.', () =>
    Number(sources.stream()?.connected ?? false),
  );
  gauge(
    'entrain_agent_ack_lag_seconds',
    'Age of the oldest frame not yet acknowledged.',
    () => (sources.stream()?.ackLagMs ?? 0) / 1000,
  );
  gauge('entrain_nats_up', 'Whether NATS is connected.', () => Number(sources.natsUp()));
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

function pauseGauge(registry: Registry, sources: AgentMetricsSources): void {
  new Gauge({
    name: 'entrain_agent_pauses',
    help: 'How often a full spool made the agent wait, between turns or between tokens.',
    labelNames: ['between'],
    registers: [registry],
    collect() {
      const pauses = sources.stream()?.pauses ?? { turn: 0, token: 0 };
      for (const [between, count] of Object.entries(pauses)) this.set({ between }, count);
    },
  });
}

function histogram(registry: Registry, name: string, help: string): Histogram {
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
  return new Histogram({ name, help, buckets, registers: [registry] });
}
