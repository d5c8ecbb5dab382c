/** The only place that reads a clock, so that whatever depends on time is given it. */
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
