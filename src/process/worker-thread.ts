/** The one way to start a worker thread: what only the main thread can set for its workers is set before. */
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { switchOffTelemetry } from './telemetry.ts';

/**
 * @throws EntrainError TELEMETRY_ON where a worker thread starts another, and the main thread has not been asked first
 */
export function startWorkerThread(file: URL, options: WorkerOptions): Worker {
  switchOffTelemetry();
  return new Worker(file, options);
}
