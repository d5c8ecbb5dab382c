/**
 * The score workers as the main thread sees them. Frames go to all; each score worker makes full scores of its share of the
 * groups and hands the frozen fit on to the point worker, which adds turn by turn. Steps go to a worker of their own.
 *
 *   frames ─┬─▶ score workers ─▶ full scores
 *           │        └─ frozen fits ─┐
 *           ├─▶ point worker  ◀──────┘  ─▶ point scores
 *   steps ──┴─▶ step worker ─▶ step scores        (none where no measure between steps is asked for)
 */
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { startWorkerThread } from '../../process/worker-thread.ts';
import type { StepsInput } from '../state/score-store.ts';
import type { FrozenFit, RunRelease, ScoreAnswer, ScoreInput } from './messages.ts';
import { createStepGate, type StepGate } from '../steps/step-backpressure.ts';
import { parseStepMeasures } from '../steps/step-measures.ts';
import type { StepAnswer, StepInput, StepNotice } from '../steps/step-messages.ts';
import { buffersOf } from '../ingest/transfer.ts';
import { ownBytes } from '../ingest/turn-numbers.ts';

export interface Scorer {
  take(input: ScoreInput | StepsInput | RunRelease): void;
  /** Settles when there is room for more steps: what is read back from a recording can wait, what arrives cannot. */
  room(): Promise<void>;
  /** Frames of steps that were left out because the step worker was behind. */
  skippedFrames(): number;
  /** Settles with the fault if a worker ends before it is stopped. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

export interface ScorerOptions {
  /** Names of measures between aligned steps, with commas between. */
  stepMeasures: string;
  onAnswer(answer: ScoreAnswer | StepAnswer): void;
}

const MOST_WORKERS = 4;

export function startScorer({ stepMeasures, onAnswer }: ScorerOptions): Scorer {
  const of = Math.min(MOST_WORKERS, availableParallelism());
  const full = Array.from({ length: of }, (_, index) => startWorker('./score-worker', { index, of }));
  const points = startWorker('./point-worker', {});
  const workers = [...full, points];
  const steps = startSteps(stepMeasures, onAnswer);
  const all = [...workers, ...steps.workers];
  const take = (answer: ScoreAnswer | FrozenFit | StepAnswer): void => {
    if (answer.type === 'step-notice') steps.gate.taken(answer.takenBytes);
    if (answer.type === 'frozen') points.postMessage(answer, buffersOf(answer));
    else onAnswer(answer);
  };
  let stopping = false;
  const failed = new Promise<Error>((resolve) => {
    for (const worker of all) {
      worker.on('message', take);
      worker.on('error', resolve);
      worker.on('exit', (code) => {
        if (!stopping) resolve(new Error(`a score worker ended by itself with status ${code}`));
      });
    }
  });
  return {
    take: (input) => {
      if (input.type === 'release') return workers.forEach((worker) => worker.postMessage(input, []));
      if (isSteps(input)) return steps.take(input);
      for (const worker of workers) send(worker, input);
      if (!input.again) steps.follow(input);
    },
    room: () => steps.gate.room(),
    skippedFrames: () => steps.gate.skippedFrames(),
    failed,
    stop: async () => {
      stopping = true;
      await Promise.all(all.map((worker) => worker.terminate()));
    },
  };
}

interface Steps {
  /** One, or none where no measure between steps is asked for. */
  workers: Worker[];
  gate: StepGate;
  take(input: StepsInput): void;
  /** Told of every other frame, so that it knows when a turn is over. */
  follow(input: ScoreInput): void;
}

function startSteps(measures: string, onAnswer: ScorerOptions['onAnswer']): Steps {
  const gate = createStepGate();
  if (parseStepMeasures(measures).length === 0) {
    const frames = new Map<string, number>();
    const take = ({ run }: StepsInput): void => onAnswer(settledAtOnce(run, frames));
    return { workers: [], gate, take, follow: () => undefined };
  }
  const worker = startWorker('../steps/step-worker', { measures });
  return {
    workers: [worker],
    gate,
    take: (input) => gate.send(input, worker),
    follow: (input) => worker.postMessage(placeInput(input), []),
  };
}

const isSteps = (input: ScoreInput | StepsInput): input is StepsInput => input.frame.type === 'steps';

/** Frames of steps that nobody measures are recorded, and that is all. */
function settledAtOnce(run: string, unmeasured: Map<string, number>): StepNotice {
  const frames = (unmeasured.get(run) ?? 0) + 1;
  unmeasured.set(run, frames);
  return { type: 'step-notice', takenBytes: 0, settled: { [run]: frames } };
}

/** Of a turn the step worker needs the place alone. */
function placeInput({ type, run, origin, frame }: ScoreInput): StepInput {
  if (frame.type === 'episode') return { type, run, origin, frame };
  const { episode, turn, seating } = frame;
  return {
    type,
    run,
    origin,
    frame: { type: 'turn', episode, turn, ...(seating === undefined ? {} : { seating }) },
  };
}

function startWorker(module: string, workerData: object): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = new URL(`${module}.${extension}`, import.meta.url);
  return startWorkerThread(file, { name: basename(module), workerData });
}

function send(worker: Worker, input: ScoreInput): void {
  if (input.frame.type !== 'turn') return worker.postMessage(input, []);
  const frame = ownBytes(input.frame);
  worker.postMessage({ ...input, frame }, [frame.data.buffer, frame.text.buffer, frame.words.buffer]);
}
