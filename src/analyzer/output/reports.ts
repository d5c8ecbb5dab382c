/** Puts what the board and the stream server know together into the reports that people and programs read. */
import type { ScoreReport, StateReport, StreamReport } from '../../protocol/report.ts';
import type { Clock } from '../../process/clock.ts';
import type { StreamFigures } from '../../transport/stream/slot.ts';
import type { MetricSources } from './metrics.ts';
import { episodeCounts, type FrameCounts, type RunState } from '../state/run-state.ts';
import type { ScoreBoard } from '../state/score-store.ts';

const NS_PER_MS = 1e6;

export interface ReportSources {
  board: ScoreBoard;
  clock: Clock;
  natsUp(): boolean;
  streams(): StreamFigures[];
  refused(): Record<string, number>;
}

export interface Reports {
  scores(run?: string): ScoreReport | undefined;
  state(run?: string): StateReport | undefined;
  /** The same for the current run, as metrics. */
  metrics: Pick<MetricSources, 'report' | 'streams' | 'refused' | 'state'>;
}

export function createReports(sources: ReportSources): Reports {
  const { board, clock } = sources;
  const startedAtMs = clock.nowMs();
  const current = (): RunState => board.state() as RunState;
  const streamsOf = (run: string): StreamFigures[] =>
    sources.streams().filter((stream) => stream.run === run);
  const scores = (run?: string): ScoreReport | undefined => {
    const state = board.state(run);
    return state && board.report(state, countFrames(streamsOf(state.run)));
  };
  return {
    scores,
    state: (run) => {
      const state = board.state(run);
      if (!state) return undefined;
      return {
        run: state.run,
        runs: board.runs(),
        startedAtMs,
        nowMs: clock.nowMs(),
        natsUp: sources.natsUp(),
        streams: streamsOf(state.run).map(streamReport),
        episodes: episodeCounts(state, clock.nowMs()),
        turns: state.turns,
      };
    },
    metrics: {
      report: () => scores() as ScoreReport,
      streams: () => sources.streams(),
      refused: () => sources.refused(),
      state: () => ({ episodes: episodeCounts(current(), clock.nowMs()), turns: current().turns }),
    },
  };
}

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
