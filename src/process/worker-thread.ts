/**
 * Starts worker threads. All are started here, so that settings which only the main thread can make are made
 * before.
 */
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { switchOffTelemetry } from './telemetry.ts';

/**
 * @throws EntrainError `TELEMETRY_ON` if a worker thread starts another one before the main thread switched the
 * reports off
 */
export function startWorkerThread(file: URL, options: WorkerOptions): Worker {
  switchOffTelemetry();
  return new Worker(file, options);
}
