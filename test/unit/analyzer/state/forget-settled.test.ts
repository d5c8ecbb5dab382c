import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sweepRuns } from '../../../../src/analyzer/state/forget-settled.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([0, 1500, 86_400_000])('looks once a second at most, also with %i ms to forget a run', (afterMs) => {
  const releaseSilent = vi.fn();
  const stop = sweepRuns(afterMs, { store: { releaseSilent, settled: () => [] } } as never);
  vi.advanceTimersByTime(120_000);
  stop();
  expect(releaseSilent.mock.calls.length).toBeGreaterThanOrEqual(2);
  expect(releaseSilent.mock.calls.length).toBeLessThanOrEqual(120);
});
