/**
 * The only place that reads a clock. Code that depends on time is given a `Clock`, so that tests can control
 * it.
 */
export interface Clock {
  /** Wall time, milliseconds since 1970. */
  nowMs(): number;
  /** Monotonic time, milliseconds with fraction. */
  monotonicMs(): number;
  /** Monotonic time, nanoseconds. */
  monotonicNs(): bigint;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  monotonicNs: () => process.hrtime.bigint(),
};
