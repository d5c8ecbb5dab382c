/** The score worker as the main thread sees it: frames in, answers out, and a fault if it dies. */
import { Worker } from 'node:worker_threads';
import type { ScoreAnswer, ScoreInput } from './score-messages.ts';
import { ownBytes } from './turn-numbers.ts';

export interface Scorer {
  take(input: ScoreInput): void;
  /** Settles with the fault if the worker ends before it is stopped. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

export function startScorer(onAnswer: (answer: ScoreAnswer) => void): Scorer {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./score-worker.${extension}`, import.meta.url), { name: 'scores' });
  let stopping = false;
  worker.on('message', onAnswer);
  const failed = new Promise<Error>((resolve) => {
    worker.on('error', (error) => resolve(error));
    worker.on('exit', (code) => {
      if (!stopping) resolve(new Error(`the score worker ended by itself with status ${code}`));
    });
  });
  return {
    take: (input) => {
      if (input.frame.type !== 'turn') return worker.postMessage(input, []);
      const frame = ownBytes(input.frame);
      worker.postMessage({ ...input, frame }, [frame.data.buffer, frame.text.buffer, frame.words.buffer]);
    },
    failed,
    stop: async () => {
      stopping = true;
      await worker.terminate();
    },
  };
}
