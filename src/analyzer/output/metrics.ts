/** The analyzer's metrics; the only place in this program that knows prom-client. Figures are read when they are asked for. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { GroupReport, PairReport, ScoreReport, StateReport } from '../../protocol/report.ts';
import type { StreamFigures } from '../../transport/stream/slot.ts';
import type { BudgetFigures } from '../ingest/retention.ts';
import { STREAM_METRICS } from './stream-metrics.ts';
import { PAIR_GAUGES } from './pair-metrics.ts';
import { underCap, type Sample, type Shown } from './report-gauge.ts';
import { DIFFERENCE_GAUGES, SYNCHRONY_GAUGES } from './synchrony-metrics.ts';

export interface MetricSources {
  version: string;
  natsUp(): boolean;
  report(): Pick<ScoreReport, 'groups' | 'differences' | 'pairs' | 'provisional'>;
  streams(): StreamFigures[];
  /** Cause → connections and frames that were turned away. */
  refused(): Record<string, number>;
  skippedStepFrames(): number;
  state(): Pick<StateReport, 'episodes' | 'turns'>;
  budget(): BudgetFigures;
}

export interface AnalyzerMetrics {
  /** A score was published, `computedMs` of work. */
  scored(kind: 'full' | 'point' | 'beside' | 'steps', computedMs: number): void;
  /** A turn pair came in and the point score that holds it stands. */
  refreshed(latencyMs: number): void;
  faults(): void;
  /** The page of `/metrics`. */
  text(): Promise<string>;
}

/** Gauges of prom-client whose names are those of counters: `promtool check metrics` objects. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
const MAX_SERIES = 2000;
const MAX_DIFFERENCES = 100;
const LATENCY_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1, 2, 5, 10, 30, 60];

export function createAnalyzerMetrics(sources: MetricSources): AnalyzerMetrics {
  const registry = new Registry();
  const scrape = scrapeOf({ groups: [], differences: [], pairs: [], provisional: true });
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  addSynchrony(registry, scrape);
  addStreams(registry, sources);
  addSteps(registry, sources);
  addRun(registry, sources);
  addBudget(registry, sources);
  const registers = [registry];
  const computing = new Histogram({
    name: 'entrain_score_compute_seconds',
    help: 'Time to compute one group’s score.',
    labelNames: ['kind'],
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
    scored: (kind, computedMs) => computing.observe({ kind }, computedMs / 1000),
    refreshed: (latencyMs) => fresh.observe(latencyMs / 1000),
    faults: () => faults.inc(),
    text: () => {
      Object.assign(scrape, scrapeOf(sources.report()));
      return registry.metrics();
    },
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

/** What one scrape shows, read once. */
interface Scrape {
  report: ReturnType<MetricSources['report']>;
  groups: Shown<GroupReport>;
  /** Of what groups leave free. */
  pairs: Shown<PairReport>;
}

function scrapeOf(report: Scrape['report']): Scrape {
  const groups = underCap(report.groups, SYNCHRONY_GAUGES, MAX_SERIES);
  return { report, groups, pairs: underCap(report.pairs, PAIR_GAUGES, MAX_SERIES - groups.series) };
}

function addSynchrony(registry: Registry, scrape: Scrape): void {
  for (const { samples, ...about } of SYNCHRONY_GAUGES)
    gauge(registry, about, () => scrape.groups.shown.flatMap(samples));
  for (const { samples, ...about } of PAIR_GAUGES)
    gauge(registry, about, () => scrape.pairs.shown.flatMap(samples));
  const final = {
    name: 'entrain_synchrony_final',
    help: '1 once the run has ended as planned and all of it is scored: these figures are the ones to report. 0 while they are provisional, when p and q do not hold.',
  };
  gauge(registry, final, () => single(Number(!scrape.report.provisional)));
  for (const { samples, ...about } of DIFFERENCE_GAUGES)
    gauge(registry, about, () => scrape.report.differences.slice(0, MAX_DIFFERENCES).flatMap(samples));
  const limits: [string, string, () => number][] = [
    [
      'entrain_series',
      'Series of synchrony metrics shown.',
      () => scrape.groups.series + scrape.pairs.series,
    ],
    ['entrain_series_limit', 'Series of synchrony metrics allowed.', () => MAX_SERIES],
    [
      'entrain_series_left_out',
      'Series of synchrony metrics over the limit.',
      () => scrape.groups.dropped + scrape.pairs.dropped,
    ],
  ];
  for (const [name, help, read] of limits) gauge(registry, { name, help }, () => single(read()));
}

function addStreams(registry: Registry, sources: MetricSources): void {
  for (const { samples, kind, ...about } of STREAM_METRICS) {
    const add = kind === 'counter' ? counter : gauge;
    add(registry, about, () => sources.streams().flatMap(samples));
  }
  const refused = {
    name: 'entrain_refused_total',
    help: 'Connections and frames turned away.',
    labelNames: ['cause'],
  };
  counter(registry, refused, () =>
    Object.entries(sources.refused()).map(([cause, value]) => ({ labels: { cause }, value })),
  );
}

function addSteps(registry: Registry, sources: MetricSources): void {
  const skipped = {
    name: 'entrain_step_frames_skipped_total',
    help: 'Frames of steps that are recorded but in no step score: the step worker was behind.',
  };
  counter(registry, skipped, () => single(sources.skippedStepFrames()));
}

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

function addBudget(registry: Registry, { budget }: MetricSources): void {
  const read = (figure: (of: BudgetFigures) => number | undefined) => (): Sample[] => {
    const value = figure(budget());
    return value === undefined ? [] : single(value);
  };
  const add = (about: [name: string, help: string], kind: typeof gauge, of: Parameters<typeof read>[0]) =>
    kind(registry, { name: about[0], help: about[1] }, read(of));
  add(['entrain_recordings_bytes', 'All recordings on disk.'], gauge, (of) => of.recordedBytes);
  add(['entrain_recordings_budget_bytes', 'What they may take.'], gauge, (of) => of.budgetBytes);
  add(
    ['entrain_recordings_removed_runs_total', 'Runs whose recording was removed to keep the budget.'],
    counter,
    (of) => of.removedRuns,
  );
  add(
    ['entrain_recordings_removed_bytes_total', 'Bytes removed to keep the budget.'],
    counter,
    (of) => of.removedBytes,
  );
}
