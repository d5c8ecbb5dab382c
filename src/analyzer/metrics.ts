/** The analyzer's metrics; the only place in this program that knows prom-client. Figures are read when they are asked for. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { DifferenceReport, GroupReport, StateReport } from '../protocol/report.ts';
import { DIFFERENCE_GAUGES, SYNCHRONY_GAUGES, underCap, type Sample } from './synchrony-metrics.ts';

/** What a stream has to tell. */
export interface StreamMetrics {
  stream: string;
  connected: boolean;
  accepted: number;
  durable: number;
  duplicates: number;
  /** Reason → frames that will never come. */
  gapFrames: Readonly<Record<string, number>>;
  ackLagMs: number;
  clockOffsetMs: number | undefined;
  clockBoundMs: number | undefined;
}

export interface MetricSources {
  version: string;
  natsUp(): boolean;
  groups(): GroupReport[];
  differences(): DifferenceReport[];
  streams(): StreamMetrics[];
  state(): Pick<StateReport, 'episodes' | 'turns'>;
}

export interface AnalyzerMetrics {
  /** A score was published, `computedMs` of work. */
  scored(computedMs: number): void;
  /** A turn pair came in and the point score that holds it stands. */
  refreshed(latencyMs: number): void;
  faults(): void;
}

/** Gauges of prom-client whose names are those of counters: `promtool check metrics` objects. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
const MAX_SERIES = 2000;
const MAX_DIFFERENCES = 100;
const LATENCY_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60];

export function createAnalyzerMetrics(registry: Registry, sources: MetricSources): AnalyzerMetrics {
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  addSynchrony(registry, sources);
  addStreams(registry, sources);
  addRun(registry, sources);
  const registers = [registry];
  const computing = new Histogram({
    name: 'entrain_score_compute_seconds',
    help: 'Time to compute one group’s score.',
    buckets: LATENCY_SECONDS,
    registers,
  });
  const fresh = new Histogram({
    name: 'entrain_score_latency_seconds',
    help: 'From the arrival of a turn frame to a published score that holds it.',
    buckets: LATENCY_SECONDS,
    registers,
  });
  const faults = new Counter({
    name: 'entrain_score_faults_total',
    help: 'Scores that could not be computed because of a fault.',
    registers,
  });
  return {
    scored: (computedMs) => computing.observe(computedMs / 1000),
    refreshed: (latencyMs) => fresh.observe(latencyMs / 1000),
    faults: () => faults.inc(),
  };
}

interface Described {
  name: string;
  help: string;
  labelNames?: string[];
}

/** A gauge whose samples are made anew at every scrape, so that a series without a number vanishes. */
function gauge(registry: Registry, about: Described, read: () => Sample[]): void {
  new Gauge({
    ...about,
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels, value } of read()) this.set(labels, value);
    },
  });
}

function counter(registry: Registry, about: Described, read: () => Sample[]): void {
  new Counter({
    ...about,
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels, value } of read()) this.inc(labels, value);
    },
  });
}

const single = (value: number): Sample[] => [{ labels: {}, value }];

function addSynchrony(registry: Registry, sources: MetricSources): void {
  const shown = () => underCap(sources.groups(), MAX_SERIES);
  for (const { samples, ...about } of SYNCHRONY_GAUGES)
    gauge(registry, about, () => shown().shown.flatMap(samples));
  for (const { samples, ...about } of DIFFERENCE_GAUGES)
    gauge(registry, about, () => sources.differences().slice(0, MAX_DIFFERENCES).flatMap(samples));
  const limits: [string, string, () => number][] = [
    ['entrain_series', 'Series of synchrony metrics shown.', () => shown().series],
    ['entrain_series_limit', 'Series of synchrony metrics allowed.', () => MAX_SERIES],
    ['entrain_series_left_out', 'Series of synchrony metrics over the limit.', () => shown().dropped],
  ];
  for (const [name, help, read] of limits) gauge(registry, { name, help }, () => single(read()));
}

function addStreams(registry: Registry, sources: MetricSources): void {
  const labelNames = ['stream'];
  const each = (read: (stream: StreamMetrics) => number | undefined) => (): Sample[] =>
    sources.streams().flatMap((stream) => {
      const value = read(stream);
      return value === undefined ? [] : [{ labels: { stream: stream.stream }, value }];
    });
  const counters: [string, string, (stream: StreamMetrics) => number][] = [
    ['entrain_frames_accepted_total', 'Frames that passed the checks.', (stream) => stream.accepted],
    ['entrain_frames_durable_total', 'Frames synced to disk and acknowledged.', (stream) => stream.durable],
    ['entrain_duplicates_total', 'Frames that came a second time.', (stream) => stream.duplicates],
  ];
  for (const [name, help, read] of counters) counter(registry, { name, help, labelNames }, each(read));
  const gaps = {
    name: 'entrain_gap_frames_total',
    help: 'Frames that will never come.',
    labelNames: ['stream', 'reason'],
  };
  counter(registry, gaps, () => sources.streams().flatMap(gapSamples));
  const gauges: [string, string, (stream: StreamMetrics) => number | undefined][] = [
    ['entrain_stream_up', 'Whether the agent is connected.', (stream) => Number(stream.connected)],
    [
      'entrain_ack_lag_seconds',
      'Age of the oldest frame not yet durable.',
      (stream) => stream.ackLagMs / 1000,
    ],
    [
      'entrain_clock_offset_seconds',
      'Sender’s clock minus this one’s.',
      (stream) => seconds(stream.clockOffsetMs),
    ],
    [
      'entrain_clock_bound_seconds',
      'How far the clock offset may be off.',
      (stream) => seconds(stream.clockBoundMs),
    ],
  ];
  for (const [name, help, read] of gauges) gauge(registry, { name, help, labelNames }, each(read));
}

function gapSamples({ stream, gapFrames }: StreamMetrics): Sample[] {
  return Object.entries(gapFrames).map(([reason, value]) => ({ labels: { stream, reason }, value }));
}

const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);

function addRun(registry: Registry, sources: MetricSources): void {
  const episodes = {
    name: 'entrain_analyzer_episodes',
    help: 'Episodes seen, by state.',
    labelNames: ['state'],
  };
  gauge(registry, episodes, () =>
    Object.entries(sources.state().episodes).map(([state, value]) => ({ labels: { state }, value })),
  );
  const turns = { name: 'entrain_analyzer_turns_total', help: 'Turns recorded in the current run.' };
  counter(registry, turns, () => single(sources.state().turns));
  const up = { name: 'entrain_nats_up', help: 'Whether NATS is connected.' };
  gauge(registry, up, () => single(Number(sources.natsUp())));
  const build = {
    name: 'entrain_build_info',
    help: 'The running version.',
    labelNames: ['version', 'program'],
  };
  gauge(registry, build, () => [{ labels: { version: sources.version, program: 'analyzer' }, value: 1 }]);
}
