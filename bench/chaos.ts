/**
 * `npm run chaos`: scenarios that break a run and its stream, with the number of repetitions of a full round.
 */
import { damageRecordings } from '../test/fixtures/chaos/damaged.ts';
import { fullRecording, fullSpool } from '../test/fixtures/chaos/full-disk.ts';
import { killCoordinator } from '../test/fixtures/chaos/fleet-killed.ts';
import { fuzzDecoder } from '../test/fixtures/chaos/fuzz-decoder.ts';
import { hostileClients } from '../test/fixtures/chaos/hostile.ts';
import { losePowerOften, runSchedules } from '../test/fixtures/chaos/in-process.ts';
import { cutLink } from '../test/fixtures/chaos/link-cut.ts';
import { killNats } from '../test/fixtures/chaos/nats-killed.ts';
import {
  badLine,
  blackHole,
  frozenAnalyzer,
  killAgents,
  killAnalyzers,
  type Outcome,
  type ScenarioOptions,
} from '../test/fixtures/chaos/scenarios.ts';
import { killInStudy } from '../test/fixtures/chaos/study-killed.ts';
import { seededRandom } from '../test/fixtures/seeded-random.ts';
import { SWITCH_OFFS, type ScenarioName, type SwitchOff } from '../test/fixtures/chaos/switch-offs.ts';

export interface Scenario {
  play(options: ScenarioOptions): Promise<Outcome>;
  /** Repetitions in a full round. */
  whole: number;
  /** Repetitions within which it must fail with its mechanism switched off. */
  off: number;
  unit: string;
}

/** Each has a mechanism that can be switched off; the types require it. */
const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  'analyzer-killed': { play: killAnalyzers, whole: 100, off: 3, unit: 'kills' },
  'agents-killed': { play: killAgents, whole: 100, off: 10, unit: 'kills' },
  'nats-killed': { play: killNats, whole: 50, off: 2, unit: 'kills' },
  'coordinator-killed': { play: killCoordinator, whole: 25, off: 2, unit: 'kills' },
  'study-killed': { play: killInStudy, whole: 10, off: 1, unit: 'kills' },
  'bad-line': { play: badLine, whole: 5000, off: 100, unit: 'connections' },
  'black-hole': { play: blackHole, whole: 3, off: 1, unit: 'times 15 s' },
  'analyzer-frozen': { play: frozenAnalyzer, whole: 120, off: 60, unit: 's' },
  'recording-disk-full': { play: fullRecording, whole: 1, off: 1, unit: 'disk' },
  'spool-disk-full': { play: fullSpool, whole: 1, off: 1, unit: 'disk' },
  'link-cut': { play: cutLink, whole: 20, off: 1, unit: 'cuts' },
  'decoder-fuzzed': { play: fuzzDecoder, whole: 600, off: 5, unit: 's' },
  'hostile-clients': { play: hostileClients, whole: 10, off: 3, unit: 'waves' },
  'recording-damaged': { play: damageRecordings, whole: 1000, off: 50, unit: 'damages' },
  'power-lost': { play: losePowerOften, whole: 10_000, off: 50, unit: 'lives' },
  schedules: { play: runSchedules, whole: 100_000, off: 20_000, unit: 'schedules' },
};

/** Length of a full round; a shorter one has fewer repetitions of each scenario. */
const WHOLE_MINUTES = 55;

export interface Row extends Outcome {
  scenario: string;
  /** Repetitions, as `50 of 50 kills`. */
  size: string;
}

/** Names of the scenarios whose name contains `part`. */
export const namesWith = (part: string): string[] =>
  Object.keys(SCENARIOS).filter((name) => name.includes(part));

/** Repetitions of a scenario in a round of so many minutes. */
export function timesIn(name: string, minutes: number): number {
  const { whole } = scenarioOf(name);
  return Math.max(1, Math.round(whole * Math.min(1, minutes / WHOLE_MINUTES)));
}

/** Repetitions within which a program without the mechanism must fail. */
export const timesOff = (name: string): number => scenarioOf(name).off;

export const switchOff = (name: string): SwitchOff | undefined => SWITCH_OFFS[name as ScenarioName];

/** Plays a scenario. An exception counts as a failure, since a program without its mechanism may do anything. */
export async function play(name: string, { times, seed }: { times: number; seed: number }): Promise<Row> {
  const { play: scenario, whole, unit } = scenarioOf(name);
  const outcome = await scenario({ times, random: seededRandom(seed) }).catch((error: Error): Outcome => ({
    name,
    figures: 'not played to its end',
    failures: [error.message],
  }));
  return { ...outcome, scenario: name, size: `${times} of ${whole} ${unit}` };
}

function scenarioOf(name: string): Scenario {
  const scenario = (SCENARIOS as Readonly<Record<string, Scenario>>)[name];
  if (!scenario) throw new Error(`there is no scenario ${name}`);
  return scenario;
}
