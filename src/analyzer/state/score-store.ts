/**
 * Everything durable comes through here: it is booked at once, sent to the score worker, and what the worker answers is kept,
 * logged and shown. It knows nothing of sockets or disks.
 */
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import type { DataMessage, StepsFrame } from '../../protocol/stream/frames.ts';
import type { ScoreReport } from '../../protocol/report.ts';
import type { Origin } from '../ingest/episode-index.ts';
import { becomesFinal, endRun } from './run-end.ts';
import { pairScores } from './run-pairs.ts';
import {
  createRunState,
  scoreReport,
  takeBeside,
  takeFrame,
  takePoint,
  takeScore,
  takeSteps,
  type FrameCounts,
  type RunState,
} from './run-state.ts';
import { createReleasedRuns, type RecordedFrame } from './released-runs.ts';
import type { ScoreLog } from '../output/score-log.ts';
import type {
  BesideScore,
  GroupScore,
  PointScore,
  RunRelease,
  ScoreAnswer,
  ScoreInput,
} from '../scoring/messages.ts';
import type { StepAnswer } from '../steps/step-messages.ts';

export interface DurableFrame {
  run: string;
  origin: Origin;
  message: DataMessage;
  /** Monotonic: when it came in, or when it was read back from the recording. */
  arrivedMs: number;
}

export interface ScoreBoard {
  take(frame: DurableFrame): void;
  takeAnswer(answer: ScoreAnswer | StepAnswer): void;
  /** The run has ended as planned: once all of it is scored, its scores are final. */
  end(run: string): void;
  /** The runs seen, the one that spoke up last at the end. */
  runs(): string[];
  /** Undefined for a run it never saw; without a name, the latest run or an empty one. */
  state(run?: string): RunState | undefined;
  report(state: RunState, counts: FrameCounts): ScoreReport;
  /** Gives back the rows of runs that have long been silent. */
  releaseSilent(): void;
}

export interface ScoreBoardOptions {
  clock: Clock;
  log: Logger;
  scoreLog: ScoreLog;
  send(input: ScoreInput | StepsInput | RunRelease): void;
  /** Silence after which the rows of a run that is scored to the end are given back. */
  releaseAfterMs: number;
  /** Everything that is recorded of a run. */
  readBack(run: string): AsyncIterable<RecordedFrame>;
  /** A score stands, `latenciesMs` after the frames it is the first to hold. */
  onScore(answer: Answer, latenciesMs: number[]): void;
}

/** A durable frame of steps. */
export interface StepsInput extends Omit<ScoreInput, 'frame'> {
  frame: StepsFrame;
}

const NO_RUN = createRunState('');

export function createScoreBoard(options: ScoreBoardOptions): ScoreBoard {
  const runs = new Map<string, RunState>();
  const open = (run: string): RunState => {
    const state = runs.get(run) ?? createRunState(run);
    runs.set(run, state);
    return state;
  };
  const released = createReleasedRuns({ ...options, afterMs: options.releaseAfterMs });
  const take = (frame: DurableFrame): void => takeDurable(open(frame.run), frame, options);
  return {
    take: (frame) => {
      if (!released.holdBack(frame, open(frame.run), take)) take(frame);
    },
    releaseSilent: () => released.sweep(runs.values()),
    takeAnswer: (answer) => {
      if (answer.type !== 'step-notice') {
        publishAnswer(open(runOf(answer)), answer, options);
        return conclude(open(runOf(answer)), options);
      }
      for (const [run, frames] of Object.entries(answer.settled)) {
        open(run).settledStepFrames = frames;
        conclude(open(run), options);
      }
    },
    end: (run) => {
      const state = runs.get(run);
      if (!state) return;
      endRun(state);
      conclude(state, options);
    },
    runs: () => [...runs.keys()],
    state: (run) => (run === undefined ? ([...runs.values()].at(-1) ?? NO_RUN) : runs.get(run)),
    report: scoreReport,
  };
}

function takeDurable(
  state: RunState,
  { run, origin, message, arrivedMs }: DurableFrame,
  { clock, send }: ScoreBoardOptions,
): void {
  if (message.type === 'gap') return;
  if (message.type === 'steps') {
    state.stepFrames += 1;
    return send({ type: 'frame', run, origin, frame: message });
  }
  takeFrame(state, { frame: message, origin, arrivedMs, nowMs: clock.nowMs() });
  send({ type: 'frame', run, origin, frame: message });
}

type Answer = ScoreAnswer | Exclude<StepAnswer, { type: 'step-notice' }>;

const runOf = (answer: Answer): string => (answer.type === 'fault' ? answer.score.run : answer.run);

function publishAnswer(state: RunState, answer: Answer, options: ScoreBoardOptions): void {
  switch (answer.type) {
    case 'point':
      return publishPoint(state, answer, options);
    case 'beside':
      return publishBeside(state, answer, options);
    case 'steps':
    case 'step-fault':
      return publishSteps(state, answer, options);
    case 'score':
    case 'fault':
      return publish(state, answer, options);
  }
}

type FullAnswer = Exclude<ScoreAnswer, PointScore | BesideScore>;

const scoreOf = (answer: FullAnswer) => (answer.type === 'fault' ? answer.score : answer);

function publish(state: RunState, answer: FullAnswer, options: ScoreBoardOptions): void {
  const { clock, log, scoreLog, onScore } = options;
  const score = scoreOf(answer);
  if (answer.type === 'fault')
    log.error({ run: score.run, group: score.group.key, stack: answer.stack }, 'a score failed');
  const nowMs = clock.nowMs();
  const scoredBefore = isScored(state, score);
  const arrivals = takeScore(state, score, nowMs);
  const { run, group, samples } = score;
  if (!scoredBefore && isScored(state, score))
    log.info({ run, group: group.key, samples }, 'first score of a group');
  scoreLog.append(score, { atMs: nowMs, provisional: true });
  for (const pair of pairScores(state, group)) scoreLog.appendPart(pair, { atMs: nowMs, provisional: true });
  const atMs = clock.monotonicMs();
  onScore(
    answer,
    arrivals.map((arrivedMs) => atMs - arrivedMs),
  );
}

/** Once the scores are final they are written again, as what is to be reported. */
function conclude(state: RunState, { clock, log, scoreLog }: ScoreBoardOptions): void {
  if (!becomesFinal(state)) return;
  const stamp = { atMs: clock.nowMs(), provisional: false };
  for (const { score, beside } of state.groups.values()) {
    if (score) scoreLog.append(score, stamp);
    if (beside && beside.stack === undefined) scoreLog.appendPart(beside, stamp);
  }
  for (const pair of pairScores(state)) scoreLog.appendPart(pair, stamp);
  log.info({ run: state.run }, 'the scores of the run are final');
}

const isScored = ({ groups }: RunState, { group }: GroupScore): boolean =>
  groups.get(group.key)?.scoredAtMs !== undefined;

function publishPoint(
  state: RunState,
  point: PointScore,
  { clock, scoreLog, onScore }: ScoreBoardOptions,
): void {
  const nowMs = clock.nowMs();
  const arrivals = takePoint(state, point, nowMs);
  if (!arrivals) return;
  scoreLog.appendPart(point, { atMs: nowMs, provisional: true });
  const atMs = clock.monotonicMs();
  onScore(
    point,
    arrivals.map((arrivedMs) => atMs - arrivedMs),
  );
}

function publishBeside(state: RunState, beside: BesideScore, options: ScoreBoardOptions): void {
  const { clock, log, scoreLog, onScore } = options;
  if (beside.stack !== undefined)
    log.error({ run: beside.run, group: beside.group, stack: beside.stack }, 'a score failed');
  const nowMs = clock.nowMs();
  if (!takeBeside(state, beside)) return;
  if (beside.stack === undefined) scoreLog.appendPart(beside, { atMs: nowMs, provisional: true });
  onScore(beside, []);
}

function publishSteps(
  state: RunState,
  answer: Extract<Answer, { type: 'steps' | 'step-fault' }>,
  { clock, log, scoreLog, onScore }: ScoreBoardOptions,
): void {
  const { run } = answer;
  if (answer.type === 'step-fault')
    log.error({ run, group: answer.group, stack: answer.stack }, 'a step score failed');
  else {
    const nowMs = clock.nowMs();
    takeSteps(state, answer);
    scoreLog.appendSteps(answer, nowMs);
  }
  onScore(answer, []);
}
