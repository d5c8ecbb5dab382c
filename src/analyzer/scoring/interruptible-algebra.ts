/**
 * A linear algebra that handles the thread's messages between operations, and stops when told to. A score that takes
 * minutes then delays neither new rows nor the end of the program.
 */
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import type { Clock } from '../../process/clock.ts';

export interface InterruptibleOptions {
  clock: Clock;
  /** When true, the next operation throws `Stopped`. */
  isStopped(): boolean;
}

/** The work was stopped on purpose. */
export class Stopped extends Error {}

/** Longest time for which messages wait, apart from the duration of one operation. */
const LONGEST_WAIT_MS = 20;

export function interruptibleAlgebra(algebra: LinearAlgebra, options: InterruptibleOptions): LinearAlgebra {
  const { clock, isStopped } = options;
  let lastMs = clock.monotonicMs();
  const handleMessages = async (): Promise<void> => {
    if (clock.monotonicMs() - lastMs >= LONGEST_WAIT_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      lastMs = clock.monotonicMs();
    }
    if (isStopped()) throw new Stopped('the score loop was stopped');
  };
  const after =
    <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await handleMessages();
      return work(...args);
    };
  return {
    multiplyTransposed: after(algebra.multiplyTransposed),
    multiply: after(algebra.multiply),
    crossMultiply: after(algebra.crossMultiply),
    gram: after(algebra.gram),
    squaredErrors: after(algebra.squaredErrors),
    inverseFactor: after(algebra.inverseFactor),
    invertKernel: after(algebra.invertKernel),
    lend: algebra.lend,
    invertRidge: after(algebra.invertRidge),
  };
}
