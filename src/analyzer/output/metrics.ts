/** The analyzer's metrics; the only module of this program that uses prom-client. Values are read at each scrape. */
import { Counter, Gauge, Histogram, Registry, type OpenMetricsContentType } from 'prom-client';
import { addProcessMetrics } from '../../process/metrics.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import type { GroupReport, PairReport, ScoreReport } from '../../protocol/reports/score-report.ts';
import type { StateReport } from '../../protocol/reports/state-report.ts';
import { REFUSALS } from '../../transport/stream/receiver/registry.ts';
import type { StreamFigures } from '../../transport/stream/receiver/incoming-stream.ts';
import type { BudgetFigures } from '../ingest/keep-budget.ts';
import { BRANCH_GAUGES } from './branch-metrics.ts';
import { toOpenMetrics, toPlain, type MetricsForm } from './open-metrics.ts';
import { STREAM_METRICS } from './stream-metrics.ts';
import { PAIR_GAUGES } from './pair-metrics.ts';
import { underCap, type ReportGauge, type Sample, type Shown } from './report-gauge.ts';
import { DIFFERENCE_GAUGES, SYNCHRONY_GAUGES } from './synchrony-metrics.ts';
import { TALK_GAUGES } from './talk-metrics.ts';

export interface MetricSources {
  /** Folder of the run folders. */
  folder: string;
  version: string;
  counters: Pick<ScoreCounters, 'text' | 'timed'>;
  /** Undefined if it does without NATS. */
  natsUp(): boolean | undefined;
  /** All runs that are shown, the latest first. */
  runs(): RunFigures[];
  streams(): StreamFigures[];
  /** Cause → number of refused connections and frames. */
  refused(): Record<string, number>;
  skippedStepFrames(): number;
  budget(): BudgetFigures;
}

export interface RunFigures {
  report: Pick<ScoreReport, 'run' | 'groups' | 'differences' | 'pairs' | 'provisional'>;
  state: Pick<StateReport, 'episodes' | 'turns'>;
}

/** Counters of events. */
export interface ScoreCounters {
  /** A score of the run was published, `computedMs` of work. */
  scored(run: string, kind: 'full' | 'beside' | 'steps' | 'branches', computedMs: number): void;
  /** A turn pair of the run arrived `latencyMs` before the first published score with it. */
  refreshed(run: string, latencyMs: number): void;
  faults(): void;
  /** Counters, as plain text. */
  text(): Promise<string>;
  /** Histograms, as OpenMetrics: each bucket with the run of its latest score as exemplar. */
  timed(): Promise<string>;
}

export interface AnalyzerMetrics {
  /** The text of `/metrics`. */
  text(form?: MetricsForm): Promise<string>;
}

/** Causes that have a series from the start; every other error code has one from its first event on. */
const REFUSED_CODES: readonly ErrorCode[] = ['TOKEN_INVALID', 'FRAME_INVALID', 'VERSION_MISMATCH'];
const REFUSAL_CAUSES = [...Object.keys(REFUSALS), ...REFUSED_CODES];
/** Every gauge that a group has a series of. */
const GROUP_GAUGES = [...SYNCHRONY_GAUGES, ...TALK_GAUGES, ...BRANCH_GAUGES];
const MAX_SERIES = 2000;
const MAX_DIFFERENCES = 100;
const LATENCY_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1, 2, 5, 10, 30, 60];

export function createAnalyzerMetrics(sources: MetricSources): AnalyzerMetrics {
  const registry = new Registry();
  const scrape = scrapeOf([]);
  addProcessMetrics(registry, sources.folder);
  addSynchrony(registry, scrape);
  addStreams(registry, sources);
  addSteps(registry, sources);
  addRuns(registry, scrape);
  addProgram(registry, sources);
  addBudget(registry, sources);
  return {
    text: async (form = 'plain') => {
      Object.assign(scrape, scrapeOf(sources.runs()));
      const plain = `${await registry.metrics()}\n${await sources.counters.text()}`;
      const timed = await sources.counters.timed();
      return form === 'plain' ? `${plain}\n${toPlain(timed)}` : `${toOpenMetrics(plain)}${timed}`;
    },
  };
}

export function createScoreCounters(): ScoreCounters {
  const counted = new Registry();
  const timed = new Registry<OpenMetricsContentType>();
  timed.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [timed];
  const computing = new Histogram<'kind' | 'run'>({
    name: 'entrain_score_compute_seconds',
    help: 'Time to compute one group’s score.',
    labelNames: ['kind'],
    buckets: LATENCY_SECONDS,
    enableExemplars: true,
    registers,
  });
  const fresh = new Histogram<'run'>({
    name: 'entrain_score_latency_seconds',
    help: 'From the arrival of a turn frame to a published score that holds it.',
    buckets: LATENCY_SECONDS,
    enableExemplars: true,
    registers,
  });
  const faults = new Counter({
    name: 'entrain_score_faults_total',
    help: 'Scores that could not be computed because of a fault.',
    registers: [counted],
  });
  for (const kind of ['full', 'beside', 'steps', 'branches']) computing.zero({ kind });
  return {
    scored: (run, kind, computedMs) =>
      computing.observe({ labels: { kind }, value: computedMs / 1000, exemplarLabels: { run } }),
    refreshed: (run, latencyMs) => fresh.observe({ value: latencyMs / 1000, exemplarLabels: { run } }),
    faults: () => faults.inc(),
    text: () => counted.metrics(),
    timed: () => timed.metrics(),
  };
}

interface Described {
  name: string;
  help: string;
  labelNames?: string[];
}

/** A gauge whose samples are made at every scrape, so that a series without a value disappears. */
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

/** A part of a report with its run. */
interface OfRun<T> {
  run: string;
  part: T;
}

/** What one scrape shows, read once. */
interface Scrape {
  runs: RunFigures[];
  groups: Shown<OfRun<GroupReport>>;
  /** Pairs in the space that groups leave below the limit on series. */
  pairs: Shown<OfRun<PairReport>>;
}

function scrapeOf(runs: RunFigures[]): Scrape {
  const groups = underCap(partsOf(runs, 'groups'), GROUP_GAUGES.map(ofRun), MAX_SERIES);
  const free = MAX_SERIES - groups.series;
  return { runs, groups, pairs: underCap(partsOf(runs, 'pairs'), PAIR_GAUGES.map(ofRun), free) };
}

function partsOf<K extends 'groups' | 'pairs' | 'differences'>(
  runs: readonly RunFigures[],
  kind: K,
): OfRun<RunFigures['report'][K][number]>[] {
  return runs.flatMap(({ report }) => report[kind].map((part) => ({ run: report.run, part })));
}

/** The gauge with the run as its first label, so that series of two runs differ. */
function ofRun<T>({ labelNames, samples, ...about }: ReportGauge<T>): ReportGauge<OfRun<T>> {
  return {
    ...about,
    labelNames: ['run', ...labelNames],
    samples: ({ run, part }) =>
      samples(part).map(({ labels, value }) => ({ labels: { run, ...labels }, value })),
  };
}

function addSynchrony(registry: Registry, scrape: Scrape): void {
  for (const { samples, ...about } of GROUP_GAUGES.map(ofRun))
    gauge(registry, about, () => scrape.groups.shown.flatMap(samples));
  for (const { samples, ...about } of PAIR_GAUGES.map(ofRun))
    gauge(registry, about, () => scrape.pairs.shown.flatMap(samples));
  const final = {
    name: 'entrain_synchrony_final',
    help: '1 once the run has ended as planned and all of it is scored: these figures are the ones to report. 0 while they are provisional, when p and q do not hold.',
    labelNames: ['run'],
  };
  gauge(registry, final, () => eachRun(scrape, ({ report }) => Number(!report.provisional)));
  for (const { samples, ...about } of DIFFERENCE_GAUGES.map(ofRun))
    gauge(registry, about, () =>
      partsOf(scrape.runs, 'differences').slice(0, MAX_DIFFERENCES).flatMap(samples),
    );
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
  // A rate needs the 0 before the first event.
  const none = Object.fromEntries(REFUSAL_CAUSES.map((cause) => [cause, 0]));
  counter(registry, refused, () =>
    Object.entries({ ...none, ...sources.refused() }).map(([cause, value]) => ({ labels: { cause }, value })),
  );
}

function addSteps(registry: Registry, sources: MetricSources): void {
  const skipped = {
    name: 'entrain_step_frames_skipped_total',
    help: 'Frames of steps that are recorded but in no step score: the step worker was behind.',
  };
  counter(registry, skipped, () => single(sources.skippedStepFrames()));
}

const eachRun = ({ runs }: Scrape, value: (of: RunFigures) => number): Sample[] =>
  runs.map((of) => ({ labels: { run: of.report.run }, value: value(of) }));

function addRuns(registry: Registry, scrape: Scrape): void {
  const episodes = {
    name: 'entrain_analyzer_episodes',
    help: 'Episodes seen, by state.',
    labelNames: ['run', 'state'],
  };
  gauge(registry, episodes, () =>
    scrape.runs.flatMap(({ report: { run }, state }) =>
      Object.entries(state.episodes).map(([name, value]) => ({ labels: { run, state: name }, value })),
    ),
  );
  const turns = {
    name: 'entrain_analyzer_turns_total',
    help: 'Turns recorded of a run.',
    labelNames: ['run'],
  };
  counter(registry, turns, () => eachRun(scrape, ({ state }) => state.turns));
}

function addProgram(registry: Registry, sources: MetricSources): void {
  const up = { name: 'entrain_nats_up', help: 'Whether NATS is connected.' };
  if (sources.natsUp() !== undefined) gauge(registry, up, () => single(Number(sources.natsUp())));
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
