/**
 * Keeps the step scores of all dyads up to date. CKA follows within a second of a finished turn; all measures with
 * surrogates are computed less often, at a quarter of one core, and at once when the stream is quiet. It runs in the
 * step worker.
 */
import type { Clock } from '../../process/clock.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import {
  addTurn,
  createDyadSteps,
  fullStepScore,
  quickStepScore,
  type DyadSteps,
  type ScoreTools,
} from './dyad-steps.ts';
import { createStepIndex, type AlignedTurn, type StepIndex } from './step-index.ts';
import type { StepMeasure } from './step-measures.ts';
import type { StepAnswer, StepInput, StepSkip } from './step-messages.ts';

export interface StepLoopOptions {
  clock: Clock;
  algebra: LinearAlgebra;
  measures: readonly StepMeasure[];
  publish(answer: StepAnswer): void;
}

export interface StepLoop {
  take(input: StepInput | StepSkip): void;
  forget(run: string): void;
  stop(): void;
}

interface Watched {
  run: string;
  dyad: DyadSteps;
  /** Finished turns that are not yet in the window. */
  waiting: AlignedTurn[];
  /** Number of turns in the window, and of those in the last full score. */
  turns: number;
  scoredTurns: number;
  changedMs: number;
  quickMs: number;
  fullMs: number;
}

interface RunSteps {
  index: StepIndex;
  /** Number of steps frames taken so far, and of those before all turns were last marked as over. */
  frames: number;
  finishedFrames: number;
  /** Monotonic time of its last frame. */
  lastFrameMs: number;
  watched: Map<string, Watched>;
}

interface LoopState {
  runs: Map<string, RunSteps>;
  restUntilMs: number;
}

interface Due {
  atMs: number;
  kind: 'finish' | 'quick' | 'full';
  run: string;
  watched?: Watched;
}

const QUICK_MS = 1000;
/** Least time between two full scores of a dyad while it talks. */
const FULL_MS = 10_000;
const QUIET_MS = 2000;
const CORE_SHARE = 0.25;
/** A scored window that has not changed for this time is dropped. */
const IDLE_MS = 60_000;
/** Limit on the bytes of all windows; above, the one that has not changed for the longest time is dropped. */
const MOST_WINDOW_BYTES = 768 * 2 ** 20;

export function createStepLoop(options: StepLoopOptions): StepLoop {
  const { clock, publish } = options;
  const state: LoopState = { runs: new Map(), restUntilMs: 0 };
  let timer: NodeJS.Timeout | undefined;
  let busy = false;
  const arm = (): void => {
    clearTimeout(timer);
    const next = busy ? undefined : earliest(state);
    if (next) timer = setTimeout(() => void work(), Math.max(0, next.atMs - clock.monotonicMs()));
  };
  const work = async (): Promise<void> => {
    const next = earliest(state);
    if (busy || !next || next.atMs > clock.monotonicMs()) return arm();
    busy = true;
    await doDue(state, next, options);
    busy = false;
    letGo(state, clock.monotonicMs());
    publish({
      type: 'step-notice',
      takenBytes: 0,
      settled: earliest(state) ? {} : framesOf(state),
      waiting: waitingOf(state),
    });
    arm();
  };
  return {
    take: (input) => {
      const run = runOf(state, input.run);
      run.lastFrameMs = clock.monotonicMs();
      watchTurns(run, input.run, { turns: run.index.take(input), nowMs: run.lastFrameMs });
      if (input.type === 'skip' || input.frame.type === 'steps') run.frames += 1;
      arm();
    },
    forget: (run) => void state.runs.delete(run),
    stop: () => {
      busy = true;
      clearTimeout(timer);
    },
  };
}

const emptyRun = (): RunSteps => ({
  index: createStepIndex(),
  frames: 0,
  finishedFrames: 0,
  lastFrameMs: 0,
  watched: new Map(),
});

function runOf({ runs }: LoopState, name: string): RunSteps {
  const run = runs.get(name) ?? emptyRun();
  runs.set(name, run);
  return run;
}

const framesOf = ({ runs }: LoopState): Record<string, number> =>
  Object.fromEntries([...runs].map(([run, { frames }]) => [run, frames]));

const isWaiting = ({ waiting, scoredTurns, turns }: Watched): boolean =>
  waiting.length > 0 || scoredTurns < turns;

/** Run → number of dyads whose newest turns are in no published score. */
const waitingOf = ({ runs }: LoopState): Record<string, number> =>
  Object.fromEntries(
    [...runs].map(([run, { watched }]) => [run, [...watched.values()].filter(isWaiting).length]),
  );

function watchTurns(run: RunSteps, name: string, of: { turns: AlignedTurn[]; nowMs: number }): void {
  for (const turn of of.turns) {
    const key = `${turn.group.key} ${turn.episode}`;
    const known = run.watched.get(key) ?? watch(name, turn);
    run.watched.set(key, known);
    known.waiting.push(turn);
    known.changedMs = of.nowMs;
  }
}

function watch(run: string, turn: AlignedTurn): Watched {
  const never = -Infinity;
  const counts = { turns: 0, scoredTurns: 0, changedMs: 0, quickMs: never, fullMs: never };
  return { run, dyad: createDyadSteps(turn), waiting: [], ...counts };
}

function earliest(state: LoopState): Due | undefined {
  let first: Due | undefined;
  const offer = (due: Due): void => {
    if (!first || due.atMs < first.atMs) first = due;
  };
  for (const [run, { frames, finishedFrames, lastFrameMs, watched }] of state.runs) {
    // A run that is quiet gets the whole core, whatever other runs do.
    const quietMs = lastFrameMs + QUIET_MS;
    if (frames > finishedFrames) offer({ run, kind: 'finish', atMs: quietMs });
    for (const one of watched.values()) {
      const restedMs = Math.max(one.fullMs + FULL_MS, state.restUntilMs);
      if (one.waiting.length > 0) offer({ run, watched: one, kind: 'quick', atMs: one.quickMs + QUICK_MS });
      else if (one.scoredTurns < one.turns)
        offer({ run, watched: one, kind: 'full', atMs: Math.min(restedMs, quietMs) });
    }
  }
  return first;
}

async function doDue(state: LoopState, { run, kind, watched }: Due, options: StepLoopOptions): Promise<void> {
  const steps = state.runs.get(run) as RunSteps;
  try {
    if (kind === 'finish') {
      steps.finishedFrames = steps.frames;
      watchTurns(steps, run, { turns: steps.index.finish(), nowMs: options.clock.monotonicMs() });
    } else if (watched) {
      await (kind === 'quick' ? quick(watched, options) : full(state, watched, options));
    }
  } catch (error) {
    const stack = String((error as Error).stack ?? error);
    options.publish({ type: 'step-fault', run, group: watched?.dyad.group.key ?? '', stack });
  }
}

const toolsOf = ({ clock, algebra, measures }: StepLoopOptions, run: string): ScoreTools => ({
  run,
  measures,
  algebra,
  handleMessages: () => new Promise((resolve) => setImmediate(resolve)),
  nowMs: () => clock.monotonicMs(),
});

async function quick(watched: Watched, options: StepLoopOptions): Promise<void> {
  const { dyad, waiting, run } = watched;
  watched.quickMs = options.clock.monotonicMs();
  for (const turn of waiting.splice(0)) {
    await addTurn(dyad, turn, options.algebra);
    watched.turns += 1;
  }
  if (options.measures.some(({ label }) => label === 'cka'))
    options.publish(quickStepScore(dyad, toolsOf(options, run)));
}

async function full(state: LoopState, watched: Watched, options: StepLoopOptions): Promise<void> {
  const { clock, publish } = options;
  const startedMs = clock.monotonicMs();
  watched.scoredTurns = watched.turns;
  publish(await fullStepScore(watched.dyad, toolsOf(options, watched.run)));
  watched.fullMs = clock.monotonicMs();
  state.restUntilMs = watched.fullMs + (1 / CORE_SHARE - 1) * (watched.fullMs - startedMs);
}

/** Drops idle windows. A dyad that continues afterwards begins a new one. */
function letGo({ runs }: LoopState, nowMs: number): void {
  const all = [...runs.values()].flatMap(({ watched }) =>
    [...watched].map(([key, one]) => ({ watched, key, one })),
  );
  let bytes = all.reduce((sum, { one }) => sum + one.dyad.bytes, 0);
  for (const { watched, key, one } of all.toSorted((a, b) => a.one.changedMs - b.one.changedMs)) {
    const idle = one.waiting.length === 0 && one.scoredTurns === one.turns && nowMs - one.changedMs > IDLE_MS;
    if (!idle && bytes <= MOST_WINDOW_BYTES) continue;
    watched.delete(key);
    bytes -= one.dyad.bytes;
  }
}
