/** Combines what the score store and the stream server know into the reports for people and programs. */
import type { ScoreReport } from '../../protocol/reports/score-report.ts';
import type { StateReport, StreamReport } from '../../protocol/reports/state-report.ts';
import type { Clock } from '../../process/clock.ts';
import type { StreamFigures } from '../../transport/stream/receiver/incoming-stream.ts';
import type { MetricSources, RunFigures } from './metrics.ts';
import type { ScrapeFigures } from './scrapes.ts';
import { episodeCounts, type FrameCounts } from '../state/run-report.ts';
import type { RunState } from '../state/run-state.ts';
import type { ScoreStore } from '../state/score-store.ts';

const NS_PER_MS = 1e6;

export interface ReportSources {
  store: ScoreStore;
  clock: Clock;
  /** Undefined if it does without NATS. */
  natsUp(): boolean | undefined;
  streams(): StreamFigures[];
  refused(): Record<string, number>;
  scrapes(): ScrapeFigures;
}

export interface Reports {
  scores(run?: string): ScoreReport | undefined;
  state(run?: string): StateReport | undefined;
  /** The same for the runs that metrics show. */
  metrics: Pick<MetricSources, 'runs' | 'streams' | 'refused'>;
}

export function createReports(sources: ReportSources): Reports {
  const { store, clock } = sources;
  const startedAtMs = clock.nowMs();
  const shown = (): RunState[] => shownRuns(store, clock.nowMs());
  const figuresOf = (state: RunState): RunFigures => ({
    report: reportOf(state),
    state: { episodes: episodeCounts(state, clock.nowMs()), turns: state.turns },
  });
  const streamsOf = (run: string): StreamFigures[] =>
    sources.streams().filter((stream) => stream.run === run);
  const reportOf = (state: RunState): ScoreReport => store.report(state, countFrames(streamsOf(state.run)));
  return {
    scores: (run) => ifKnown(store.state(run), reportOf),
    state: (run) => {
      const state = store.state(run);
      if (!state) return undefined;
      return {
        run: state.run,
        runs: store.runs(),
        startedAtMs,
        nowMs: clock.nowMs(),
        natsUp: sources.natsUp() ?? false,
        streams: streamsOf(state.run).map(streamReport),
        episodes: episodeCounts(state, clock.nowMs()),
        turns: state.turns,
        ...sources.scrapes(),
      };
    },
    metrics: {
      runs: () => shown().map(figuresOf),
      streams: () => {
        const runs = new Set(shown().map(({ run }) => run));
        return sources.streams().filter(({ run, connected }) => connected || runs.has(run));
      },
      refused: () => sources.refused(),
    },
  };
}

/** Most runs on `/metrics` at a time, so that a program that runs for months has few labels. */
const MOST_RUNS = 16;
/** A run is shown until it has been silent for this time, long enough for any scraper to see its last figures. */
const SHOWN_MS = 30 * 60_000;

/** The runs that are shown, latest first. */
function shownRuns(store: ScoreStore, nowMs: number): RunState[] {
  return store
    .runs()
    .flatMap((run) => store.state(run) ?? [])
    .filter(({ changedAtMs }) => nowMs - changedAtMs < SHOWN_MS)
    .toSorted((a, b) => b.changedAtMs - a.changedAtMs)
    .slice(0, MOST_RUNS);
}

const ifKnown = <T, R>(value: T | undefined, read: (value: T) => R): R | undefined =>
  value === undefined ? undefined : read(value);

function countFrames(streams: StreamFigures[]): FrameCounts {
  const sum = (of: (stream: StreamFigures) => number): number =>
    streams.reduce((total, stream) => total + of(stream), 0);
  return {
    framesAccepted: sum((stream) => stream.acceptedFrames),
    framesDurable: sum((stream) => stream.durableFrames),
  };
}

function streamReport(figures: StreamFigures): StreamReport {
  const { stream, connected, done, epoch, acceptedFrames, durableFrames, clock } = figures;
  return {
    stream,
    connected,
    done,
    epoch,
    framesAccepted: acceptedFrames,
    framesDurable: durableFrames,
    clockOffsetMs: clock ? clock.offsetNs / NS_PER_MS : null,
    clockBoundMs: clock ? clock.boundNs / NS_PER_MS : null,
  };
}
