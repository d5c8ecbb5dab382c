import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWorld, CREDITS, STEPS, type Step, type WorldFaults } from '../../session-world.ts';

const schedule = fc
  .array(fc.constantFrom(...STEPS), { maxLength: 80, size: 'max' })
  .map((steps): Step[] => ['connect', ...steps]);

/** What is wrong after this schedule, if anything. */
function faultOf(steps: Step[], faults: WorldFaults = {}): string | undefined {
  const world = createWorld(faults);
  for (const step of steps) {
    world.step(step);
    if (world.inFlightBytes() > CREDITS) return 'more under way than the credits';
  }
  if (!world.settle()) return 'never drained';
  const frames = world.recorded.filter((label) => !label.endsWith('gap'));
  if (new Set(frames).size !== frames.length) return 'a frame twice';
  const there = new Set(frames);
  const gaps = new Set(world.recorded.map((label) => label.replace(' gap', '')));
  for (const label of world.sent) {
    if (there.has(label)) continue;
    if (!world.damaged.has(label)) return `frame ${label} lost`;
    if (!gaps.has(label)) return `frame ${label} lost without a gap record`;
  }
  return undefined;
}

describe('sender and receiver machines', () => {
  it('lose nothing and double nothing over 100,000 schedules', () => {
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
  ])('are seen to fail with %o', (faults) => {
    const details = fc.check(
      fc.property(schedule, (steps) => safely(() => faultOf(steps, faults)) === undefined),
      { numRuns: 20_000 },
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
