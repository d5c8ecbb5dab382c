/** The score workers as the main thread sees them: frames go to all, each scores its share of the groups, answers come back. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ScoreAnswer, ScoreInput } from './score-messages.ts';
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
  const workers = Array.from({ length: of }, (_, index) => startWorker({ index, of }));
  let stopping = false;
  const failed = new Promise<Error>((resolve) => {
    for (const worker of workers) {
      worker.on('message', onAnswer);
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

function startWorker(share: { index: number; of: number }): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = new URL(`./score-worker.${extension}`, import.meta.url);
  return new Worker(file, { name: `scores-${share.index}`, workerData: share });
}

function send(worker: Worker, input: ScoreInput): void {
  if (input.frame.type !== 'turn') return worker.postMessage(input, []);
  const frame = ownBytes(input.frame);
  worker.postMessage({ ...input, frame }, [frame.data.buffer, frame.text.buffer, frame.words.buffer]);
}
