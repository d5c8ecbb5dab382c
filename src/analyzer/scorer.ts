/**
 * The score workers as the main thread sees them. Frames go to all; each score worker makes full scores of its share of the
 * groups and hands the frozen fit on to the point worker, which adds turn by turn.
 *
 *   frames ─┬─▶ score workers ─▶ full scores
 *           │        └─ frozen fits ─┐
 *           └─▶ point worker  ◀──────┘  ─▶ point scores
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { FrozenFit, ScoreAnswer, ScoreInput } from './score-messages.ts';
import { buffersOf } from './transfer.ts';
import { ownBytes } from './turn-numbers.ts';

export interface Scorer {
  take(input: ScoreInput): void;
  /** Settles with the fault if a worker ends before it is stopped. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

const MOST_WORKERS = 4;

export function startScorer(onAnswer: (answer: ScoreAnswer) => void): Scorer {
  const of = Math.min(MOST_WORKERS, availableParallelism());
  const full = Array.from({ length: of }, (_, index) => startWorker('score-worker', { index, of }));
  const points = startWorker('point-worker', {});
  const workers = [...full, points];
  const take = (answer: ScoreAnswer | FrozenFit): void => {
    if (answer.type === 'frozen') points.postMessage(answer, buffersOf(answer));
    else onAnswer(answer);
  };
  let stopping = false;
  const failed = new Promise<Error>((resolve) => {
    for (const worker of workers) {
      worker.on('message', take);
      worker.on('error', resolve);
      worker.on('exit', (code) => {
        if (!stopping) resolve(new Error(`a score worker ended by itself with status ${code}`));
      });
    }
  });
  return {
    take: (input) => {
      for (const worker of workers) send(worker, input);
    },
    failed,
    stop: async () => {
      stopping = true;
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
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
