import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultOf, STEPS, type Step, type WorldFaults } from '../../../fixtures/stream/session-world.ts';

const schedule = fc
  .array(fc.constantFrom(...STEPS), { maxLength: 80, size: 'max' })
  .map((steps): Step[] => ['connect', ...steps]);

describe('the state machines of sender and receiver', () => {
  it('lose and duplicate no frame over 100,000 random schedules', () => {
    fc.assert(
      fc.property(schedule, (steps) => faultOf(steps) === undefined),
      { numRuns: 100_000 },
    );
  });

  it.each<WorldFaults>([
    { noDedup: true },
    { noResend: true },
    { trimUnacknowledged: true },
    { acknowledgeUnsynced: true },
    { anyWelcome: true },
  ])('fail this test when a mechanism is switched off: %o', (faults) => {
    const details = fc.check(
      fc.property(schedule, (steps) => safely(() => faultOf(steps, faults)) === undefined),
      // Ends at the first failure, so many cost nothing where one is found.
      { numRuns: 200_000 },
    );
    expect(details.failed).toBe(true);
  });
});

function safely(job: () => string | undefined): string | undefined {
  try {
    return job();
  } catch (error) {
    return (error as Error).message;
  }
}
