/**
 * The score workers and the step worker, as seen by the main thread. Every group has one owner among the score
 * workers, which gets its rows and computes all of its scores. The states of a row are not copied; they are in memory
 * shared by all threads.
 *
 *   rows of a group ──▶ the score worker that owns it ─▶ scores, secondary analyses, figures of branches
 *   steps ────────────▶ step worker ─▶ step scores        (none if no measure between steps is asked for)
 */
import { EventEmitter } from 'node:events';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { startWorkerThread } from '../../process/worker-thread.ts';
import type { HistoriesInput } from '../branches/branch-loop.ts';
import type { RunForgotten, RunRelease, RowsInput, ScoreAnswer } from './messages.ts';
import { createStepBackpressure, type StepBackpressure } from '../steps/step-backpressure.ts';
import { parseStepMeasures } from '../steps/step-measures.ts';
import type { PlaceInput, StepAnswer, StepNotice, StepsInput } from '../steps/step-messages.ts';

export type ScorerInput = RowsInput | HistoriesInput | RunRelease | RunForgotten | StepsInput | PlaceInput;

export interface Scorer {
  take(input: ScorerInput): void;
  /** Registers the listener for the workers' answers. */
  onAnswer(listener: Listener): void;
  /**
   * Settles when more steps may be sent. Steps read back from a recording wait for it; new ones are skipped instead.
   */
  room(): Promise<void>;
  /** Number of steps frames that were skipped because the step worker was behind. */
  skippedFrames(): number;
  /** Settles with the fault if a worker ends before it is stopped. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

export interface ScorerOptions {
  /** Names of measures between aligned steps, separated by commas. */
  stepMeasures: string;
}

type Listener = (answer: ScoreAnswer | StepAnswer) => void;

const MOST_WORKERS = 4;

export function startScorer({ stepMeasures }: ScorerOptions): Scorer {
  const answers = new EventEmitter<{ answer: Parameters<Listener> }>();
  const onAnswer: Listener = (answer) => void answers.emit('answer', answer);
  const loops = Math.min(MOST_WORKERS, availableParallelism());
  const workers = Array.from({ length: loops }, () => startWorker('./score-worker', { loops }));
  const steps = startSteps(stepMeasures, onAnswer);
  const all = [...workers, ...steps.workers];
  const owners = chooseOwners(workers);
  let stopping = false;
  const failed = new Promise<Error>((resolve) => {
    for (const worker of all) {
      worker.on('message', (answer: ScoreAnswer | StepAnswer) => {
        if (answer.type === 'step-notice') steps.backpressure.taken(answer.takenBytes);
        onAnswer(answer);
      });
      worker.on('error', resolve);
      worker.on('exit', (code) => {
        if (!stopping) resolve(new Error(`a score worker ended by itself with status ${code}`));
      });
    }
  });
  return {
    take: (input) => pass(input, { workers, owners, steps }),
    onAnswer: (listener) => void answers.on('answer', listener),
    room: () => steps.backpressure.room(),
    skippedFrames: () => steps.backpressure.skippedFrames(),
    failed,
    stop: async () => {
      stopping = true;
      await Promise.all(all.map((worker) => worker.terminate()));
    },
  };
}

function pass(
  input: ScorerInput,
  { workers, owners, steps }: { workers: readonly Worker[]; owners: Owners; steps: Steps },
): void {
  switch (input.type) {
    case 'rows':
    case 'histories':
      return owners.of(input).postMessage(input, []);
    case 'release':
      return workers.forEach((worker) => worker.postMessage(input, []));
    case 'forget':
      owners.forget(input.run);
      workers.forEach((worker) => worker.postMessage(input, []));
      return steps.forget(input);
    case 'frame':
      return steps.take(input);
  }
}

interface Owners {
  of(input: Pick<RowsInput, 'run' | 'group'>): Worker;
  forget(run: string): void;
}

/** Assigns each group to one worker for as long as its run is known, in the order in which groups first appear. */
function chooseOwners(workers: readonly Worker[]): Owners {
  const runs = new Map<string, Map<string, number>>();
  let assigned = 0;
  return {
    of: ({ run, group: { key } }) => {
      const groups = runs.get(run) ?? new Map<string, number>();
      runs.set(run, groups);
      const owner = groups.get(key) ?? assigned++ % workers.length;
      groups.set(key, owner);
      return workers[owner] as Worker;
    },
    forget: (run) => void runs.delete(run),
  };
}

interface Steps {
  /** One worker, or none if no measure between steps was asked for. */
  workers: Worker[];
  backpressure: StepBackpressure;
  /** Takes steps frames, and the places of all other frames, which tell the worker when a turn is over. */
  take(input: StepsInput | PlaceInput): void;
  forget(input: RunForgotten): void;
}

function startSteps(measures: string, onAnswer: Listener): Steps {
  const backpressure = createStepBackpressure();
  if (parseStepMeasures(measures).length === 0) {
    const frames = new Map<string, number>();
    return {
      workers: [],
      backpressure,
      take: (input) => (isSteps(input) ? onAnswer(settledAtOnce(input.run, frames)) : undefined),
      forget: ({ run }) => void frames.delete(run),
    };
  }
  const worker = startWorker('../steps/step-worker', { measures });
  return {
    workers: [worker],
    backpressure,
    take: (input) => (isSteps(input) ? backpressure.send(input, worker) : worker.postMessage(input, [])),
    forget: (input) => worker.postMessage(input, []),
  };
}

const isSteps = (input: StepsInput | PlaceInput): input is StepsInput => input.frame.type === 'steps';

/** Reports steps frames as scored at once if there is no measure between steps; they are only recorded. */
function settledAtOnce(run: string, unmeasured: Map<string, number>): StepNotice {
  const frames = (unmeasured.get(run) ?? 0) + 1;
  unmeasured.set(run, frames);
  return { type: 'step-notice', takenBytes: 0, settled: { [run]: frames } };
}

function startWorker(module: string, workerData: object): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = new URL(`${module}.${extension}`, import.meta.url);
  return startWorkerThread(file, { name: basename(module), workerData });
}
