/** What needs no processes to be tried: a disk that forgets what was not synced, and the two state machines on any schedule. */
import { losePower } from '../../test/power-loss.ts';
import { faultOf, STEPS, type Step } from '../../test/session-world.ts';
import type { Outcome, ScenarioOptions } from './scenarios.ts';

const LONGEST = 80;
const MOST_FAILURES = 5;

/** `times` lives of a recording, four losses of power in each. */
export async function losePowerOften({ times, random }: ScenarioOptions): Promise<Outcome> {
  const name = 'power lost';
  const first = Math.floor(random() * 2 ** 31);
  const sum = { acknowledged: 0, lost: 0, doubled: 0, damages: 0 };
  for (let i = 0; i < times; i++) {
    const result = await losePower(first + i);
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += result[key];
  }
  const { acknowledged, lost, doubled, damages } = sum;
  const failures = Object.entries({ lost, doubled, damages })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${name}: ${count} ${what}`);
  const figures = `4 losses in each of ${times} lives, ${acknowledged} frames acknowledged`;
  return { name, figures, lost, doubled, failures };
}

/** `times` orders in which connections, frames, acknowledgements and crashes can come. */
export async function runSchedules({ times, random }: ScenarioOptions): Promise<Outcome> {
  const name = 'sender and receiver machines';
  const failures: string[] = [];
  let frames = 0;
  for (let i = 0; i < times && failures.length < MOST_FAILURES; i++) {
    const length = Math.floor(random() * LONGEST);
    const rest = Array.from({ length }, () => STEPS[Math.floor(random() * STEPS.length)] as Step);
    const steps: Step[] = ['connect', ...rest];
    const fault = faultOn(steps);
    if (fault !== undefined) failures.push(`${name}: ${fault} after ${steps.join(' ')}`);
    frames += steps.filter((step) => step === 'append').length;
  }
  return { name, figures: `${times} schedules, ${frames} frames sent`, failures };
}

function faultOn(steps: Step[]): string | undefined {
  try {
    return faultOf(steps);
  } catch (error) {
    return (error as Error).message;
  }
}
