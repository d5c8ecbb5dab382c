/**
 * A linear algebra that lets the thread's messages in between two operations, and ends the work when it is told to
 * stop. So a score that takes
 * minutes holds up neither the rows that arrive meanwhile nor the end of the program.
 */
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import type { Clock } from '../../process/clock.ts';

export interface BreathingOptions {
  clock: Clock;
  /** Once true, the next operation throws `Stopped`. */
  isStopped(): boolean;
}

/** The work was ended on purpose. */
export class Stopped extends Error {}

/** Messages wait no longer than this for their turn, but for the length of one operation. */
const BREATH_MS = 20;

export function breathingAlgebra(algebra: LinearAlgebra, options: BreathingOptions): LinearAlgebra {
  const { clock, isStopped } = options;
  let lastMs = clock.monotonicMs();
  const breathe = async (): Promise<void> => {
    if (clock.monotonicMs() - lastMs >= BREATH_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      lastMs = clock.monotonicMs();
    }
    if (isStopped()) throw new Stopped('the score loop was stopped');
  };
  const after =
    <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await breathe();
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
