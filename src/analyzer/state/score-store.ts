/**
 * Takes every durable frame: indexes it once, sends its rows to the score worker that owns their group, and keeps,
 * logs and shows the worker's answers. It does no input or output of its own.
 */
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import type { EpisodeFrame, TurnFrame } from '../../protocol/stream/frames.ts';
import type { ScoreReport } from '../../protocol/reports/score-report.ts';
import { takeBranchFrame, takeBranchScore } from '../branches/branch-state.ts';
import type { DurableFrame, RecordedFrame } from '../ingest/durable-frame.ts';
import type { RowMemory } from '../ingest/row-memory.ts';
import { becomesFinal, endRun, goOn } from './run-end.ts';
import { differenceScores, pairScores } from './run-pairs.ts';
import {
  createRunState,
  openBranchGroup,
  talkOf,
  takeBeside,
  takeFrame,
  takeScore,
  takeSteps,
  type Admission,
  type RunState,
} from './run-state.ts';
import { scoreReport, standingsOf, type FrameCounts } from './run-report.ts';
import { createReleasedRuns } from './released-runs.ts';
import type { ScoreLog } from '../output/score-log.ts';
import type { BesideScore, BranchScore, GroupScore, ScoreAnswer } from '../scoring/messages.ts';
import type { ScorerInput } from '../scoring/scorer.ts';
import type { PlaceInput, StepAnswer, StepNotice } from '../steps/step-messages.ts';

export interface ScoreStore {
  take(frame: DurableFrame): void;
  takeAnswer(answer: ScoreAnswer | StepAnswer): void;
  /** Marks a run as ended as planned; its scores are final once everything is scored. */
  end(run: string): void;
  /** Names of the runs seen, the latest one last. */
  runs(): string[];
  /** State of a run, by default of the latest, or an empty one; undefined for a run that was never seen. */
  state(run?: string): RunState | undefined;
  report(state: RunState, counts: FrameCounts): ScoreReport;
  /** Releases the rows of runs that have long been silent. */
  releaseSilent(): void;
  /** Runs with final scores that have been silent for so many milliseconds. */
  settled(silentMs: number): string[];
  /** Keeps nothing of a run; if it sends again, everything recorded of it has to come first. */
  forget(run: string): void;
}

export interface ScoreStoreOptions {
  clock: Clock;
  log: Logger;
  scoreLog: ScoreLog;
  send(input: ScorerInput): void;
  /** Memory for the rows of all runs. */
  memory: RowMemory;
  /** Silence after which the rows of a fully scored run are released. */
  releaseAfterMs: number;
  /** All recorded frames of a run. */
  readBack(run: string): AsyncIterable<RecordedFrame>;
  /** Called with a score, and the latencies of the frames that it is the first to include. */
  onScore(answer: Answer, latenciesMs: number[]): void;
}

const NO_RUN = createRunState('');

export function createScoreStore(options: ScoreStoreOptions): ScoreStore {
  const runs = new Map<string, RunState>();
  const open = (run: string): RunState => {
    const state = runs.get(run) ?? createRunState(run);
    runs.set(run, state);
    return state;
  };
  const released = createReleasedRuns({ ...options, afterMs: options.releaseAfterMs });
  const admission = admissionOf(options.memory, (run) =>
    released.freeMemory([...runs.values()].filter((other) => other.run !== run)),
  );
  const take = (frame: DurableFrame): void => takeDurable(open(frame.run), frame, { ...options, admission });
  return {
    take: (frame) => {
      if (!released.holdBack(frame, open(frame.run), take)) take(frame);
    },
    releaseSilent: () => released.sweep(runs.values()),
    takeAnswer: (answer) => takeAnswer(runs, answer, options),
    end: (run) => {
      const state = runs.get(run);
      if (!state) return;
      endRun(state);
      conclude(state, options);
    },
    runs: () => [...runs.keys()],
    state: (run) => (run === undefined ? ([...runs.values()].at(-1) ?? NO_RUN) : runs.get(run)),
    report: scoreReport,
    settled: (silentMs) => finalRuns(runs).filter((run) => released.silentMs(run) >= silentMs),
    forget: (run) => {
      runs.delete(run);
      released.forget(run);
      options.memory.give(run);
      options.send({ type: 'forget', run });
    },
  };
}

const finalRuns = (runs: ReadonlyMap<string, RunState>): string[] =>
  [...runs.values()].filter(({ phase }) => phase === 'final').map(({ run }) => run);

/** An answer may still be about a run that was forgotten. */
function takeAnswer(
  runs: ReadonlyMap<string, RunState>,
  answer: ScoreAnswer | StepAnswer,
  options: ScoreStoreOptions,
): void {
  if (answer.type === 'step-notice') return takeNotice(runs, answer, options);
  const state = runs.get(runOf(answer));
  if (!state) return;
  publishAnswer(state, answer, options);
  conclude(state, options);
}

function takeNotice(
  runs: ReadonlyMap<string, RunState>,
  { waiting = {}, settled }: StepNotice,
  options: ScoreStoreOptions,
): void {
  for (const [run, dyads] of Object.entries(waiting)) {
    const state = runs.get(run);
    if (state) state.waitingDyads = dyads;
  }
  for (const [run, frames] of Object.entries(settled)) {
    const state = runs.get(run);
    if (!state) continue;
    state.settledStepFrames = frames;
    conclude(state, options);
  }
}

function admissionOf(memory: RowMemory, freeMemory: (run: string) => void): Admission {
  return {
    memory,
    refuse: (run) => {
      freeMemory(run);
      return memory.isFull() ? noMemory(memory.maxBytes) : undefined;
    },
  };
}

function takeDurable(
  state: RunState,
  { run, origin, message, arrivedMs }: DurableFrame,
  { clock, send, admission }: ScoreStoreOptions & { admission: Admission },
): void {
  if (message.type === 'gap') return;
  if (message.type === 'branch' || message.type === 'episode') {
    const arrived = { run, frame: message, origin };
    const inputs = takeBranchFrame(state.branches, arrived, admission);
    if (inputs.length > 0) goOn(state);
    inputs.forEach(send);
    // No score of the talk itself uses branches.
    if (message.type === 'branch') return;
  }
  if (message.type === 'steps') {
    state.stepFrames += 1;
    send({ type: 'frame', run, origin, frame: message });
    // Without a measure between steps the frame is settled by now.
    if (state.stepFrames !== state.settledStepFrames) goOn(state);
    return;
  }
  const arrived = { frame: message, origin, arrivedMs, nowMs: clock.nowMs() };
  for (const update of takeFrame(state, arrived, admission)) send({ type: 'rows', run, ...update });
  send({ type: 'frame', run, origin, frame: placeIn(message) });
}

/** Of a turn frame the step worker needs only the place. */
function placeIn(frame: EpisodeFrame | TurnFrame): PlaceInput['frame'] {
  if (frame.type === 'episode') return frame;
  const { episode, turn, seating } = frame;
  return { type: 'turn', episode, turn, ...(seating === undefined ? {} : { seating }) };
}

const noMemory = (maxBytes: number): string =>
  `Not scored: the rows of other groups fill the ${(maxBytes / 1e9).toFixed(1)} GB that they may take (--memory-gb); it is recorded, and "entrain measure sync-r2 --run" scores it.`;

type Answer = ScoreAnswer | Exclude<StepAnswer, { type: 'step-notice' }>;

const runOf = (answer: Answer): string => (answer.type === 'fault' ? answer.score.run : answer.run);

function publishAnswer(state: RunState, answer: Answer, options: ScoreStoreOptions): void {
  switch (answer.type) {
    case 'beside':
      return publishBeside(state, answer, options);
    case 'branches':
      return publishBranches(state, answer, options);
    case 'steps':
    case 'step-fault':
      return publishSteps(state, answer, options);
    case 'score':
    case 'fault':
      return publish(state, answer, options);
  }
}

type FullAnswer = Exclude<ScoreAnswer, BesideScore | BranchScore>;

const scoreOf = (answer: FullAnswer) => (answer.type === 'fault' ? answer.score : answer);

function publish(state: RunState, answer: FullAnswer, options: ScoreStoreOptions): void {
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
  const known = state.groups.get(group.key);
  const talk = known ? talkOf(state, known) : null;
  scoreLog.append(score, { atMs: nowMs, provisional: true, talk });
  for (const pair of pairScores(state, group)) scoreLog.appendPart(pair, { atMs: nowMs, provisional: true });
  const atMs = clock.monotonicMs();
  onScore(
    answer,
    arrivals.map((arrivedMs) => atMs - arrivedMs),
  );
}

/** Writes the final scores again, as those to be reported, and says so once they are in the file. */
function conclude(state: RunState, { clock, log, scoreLog }: ScoreStoreOptions): void {
  if (!becomesFinal(state)) return;
  const stamp = { atMs: clock.nowMs(), provisional: false };
  state.changedAtMs = stamp.atMs;
  const standings = standingsOf(state);
  for (const [key, group] of state.groups) {
    const { score, beside } = group;
    if (score) scoreLog.append(score, { ...stamp, talk: talkOf(state, group), ...standings.get(key) });
    if (beside && beside.stack === undefined) scoreLog.appendPart(beside, stamp);
  }
  for (const { score } of state.branches.groups.values())
    if (score && score.stack === undefined) scoreLog.appendBranches(score, stamp);
  for (const pair of pairScores(state)) scoreLog.appendPart(pair, stamp);
  for (const difference of differenceScores(state)) scoreLog.appendPart(difference, stamp);
  const { run } = state;
  void scoreLog.written().then(() => log.info({ run }, 'the scores of the run are final'));
}

const isScored = ({ groups }: RunState, { group }: GroupScore): boolean =>
  groups.get(group.key)?.scoredAtMs !== undefined;

function publishBeside(state: RunState, beside: BesideScore, options: ScoreStoreOptions): void {
  const { clock, log, scoreLog, onScore } = options;
  if (beside.stack !== undefined)
    log.error({ run: beside.run, group: beside.group, stack: beside.stack }, 'a score failed');
  const nowMs = clock.nowMs();
  if (!takeBeside(state, beside)) return;
  if (beside.stack === undefined) scoreLog.appendPart(beside, { atMs: nowMs, provisional: true });
  onScore(beside, []);
}

function publishBranches(state: RunState, score: BranchScore, options: ScoreStoreOptions): void {
  const { clock, log, scoreLog, onScore } = options;
  const { run, group, stack } = score;
  if (stack !== undefined) log.error({ run, group: group.key, stack }, 'a score failed');
  if (!takeBranchScore(state.branches, score)) return;
  openBranchGroup(state, group);
  state.changedAtMs = clock.nowMs();
  if (stack === undefined) scoreLog.appendBranches(score, { atMs: state.changedAtMs, provisional: true });
  onScore(score, []);
}

function publishSteps(
  state: RunState,
  answer: Extract<Answer, { type: 'steps' | 'step-fault' }>,
  { clock, log, scoreLog, onScore }: ScoreStoreOptions,
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
