/**
 * From 1.29 on, ONNX Runtime sends reports about the machine and its models to its maker, unless
 * `ORT_DISABLE_TELEMETRY` is 1 in the environment of the process before its native library starts
 * (https://github.com/microsoft/onnxruntime/issues/27379).
 */
import { isMainThread } from 'node:worker_threads';
import { EntrainError } from '../protocol/errors.ts';

const SWITCH = 'ORT_DISABLE_TELEMETRY';

/**
 * Switches the reports off, whatever the environment says. Only the main thread can: a worker thread has a copy
 * of `process.env` that the native side does not see, and inherits what the main thread had set.
 * @throws EntrainError `TELEMETRY_ON` in a worker thread whose main thread has not called this before
 */
export function switchOffTelemetry(): void {
  if (isMainThread) process.env[SWITCH] = '1';
  else if (process.env[SWITCH] !== '1')
    throw new EntrainError(
      'TELEMETRY_ON',
      "ONNX Runtime's reports to its maker cannot be switched off from a worker thread: import entrain, or set " +
        `${SWITCH}=1, in the main thread before it starts the worker, and let the worker inherit its environment.`,
    );
}
