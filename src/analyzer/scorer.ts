/**
 * The score workers as the main thread sees them. Frames go to all; each score worker makes full scores of its share of the
 * groups and hands the frozen fit on to the point worker, which adds turn by turn. Steps go to a worker of their own.
 *
 *   frames ─┬─▶ score workers ─▶ full scores
 *           │        └─ frozen fits ─┐
 *           ├─▶ point worker  ◀──────┘  ─▶ point scores
 *   steps ──┴─▶ step worker ─▶ step scores
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { StepsInput } from './score-board.ts';
import type { FrozenFit, RunRelease, ScoreAnswer, ScoreInput } from './score-messages.ts';
import { createStepGate } from './steps/step-gate.ts';
import type { StepAnswer, StepInput } from './steps/step-messages.ts';
import { buffersOf } from './transfer.ts';
import { ownBytes } from './turn-numbers.ts';

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
  const full = Array.from({ length: of }, (_, index) => startWorker('score-worker', { index, of }));
  const points = startWorker('point-worker', {});
  const steps = startWorker('step-worker', { measures: stepMeasures });
  const gate = createStepGate();
  const workers = [...full, points];
  const take = (answer: ScoreAnswer | FrozenFit | StepAnswer): void => {
    if (answer.type === 'step-notice') gate.taken(answer.takenBytes);
    if (answer.type === 'frozen') points.postMessage(answer, buffersOf(answer));
    else onAnswer(answer);
  };
  let stopping = false;
  const failed = new Promise<Error>((resolve) => {
    for (const worker of [...workers, steps]) {
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
      if (isSteps(input)) return gate.send(input, steps);
      for (const worker of workers) send(worker, input);
      if (input.again) return;
      steps.postMessage(placeInput(input), []);
    },
    room: () => gate.room(),
    skippedFrames: () => gate.skippedFrames(),
    failed,
    stop: async () => {
      stopping = true;
      await Promise.all([...workers, steps].map((worker) => worker.terminate()));
    },
  };
}

const isSteps = (input: ScoreInput | StepsInput): input is StepsInput => input.frame.type === 'steps';

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

function startWorker(program: string, workerData: object): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = new URL(`./${program}.${extension}`, import.meta.url);
  return new Worker(file, { name: program, workerData });
}

function send(worker: Worker, input: ScoreInput): void {
  if (input.frame.type !== 'turn') return worker.postMessage(input, []);
  const frame = ownBytes(input.frame);
  worker.postMessage({ ...input, frame }, [frame.data.buffer, frame.text.buffer, frame.words.buffer]);
}
