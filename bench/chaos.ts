/** `npm run chaos -- --minutes N --seed S`: everything that can happen to the stream, again and again until the time is over. */
import { fullRecording, fullSpool } from './chaos/full-disk.ts';
import { killCoordinator } from './chaos/fleet-killed.ts';
import { fuzzDecoder } from './chaos/fuzz-decoder.ts';
import { hostileClients } from './chaos/hostile.ts';
import { cutLink } from './chaos/link-cut.ts';
import { killNats } from './chaos/nats-killed.ts';
import {
  badLine,
  blackHole,
  frozenAnalyzer,
  killAgents,
  killAnalyzers,
  type Outcome,
  type ScenarioOptions,
} from './chaos/scenarios.ts';
import { seededRandom } from './chaos/seeded-random.ts';

export const title = 'Chaos: what was lost';

type Scenario = (options: ScenarioOptions) => Promise<Outcome>;

/** How much of each makes one whole round; in less time than `WHOLE_MINUTES` there is less of each. */
const WHOLE_MINUTES = 35;

const ROUND: [Scenario, number][] = [
  [killAnalyzers, 100],
  [killAgents, 100],
  [killNats, 50],
  [killCoordinator, 25],
  [badLine, 5000],
  [blackHole, 3],
  [frozenAnalyzer, 120],
  [fullRecording, 1],
  [fullSpool, 1],
  [cutLink, 20],
  [fuzzDecoder, 600],
  [hostileClients, 10],
];

export interface ChaosResult {
  table: string[][];
  notes: string[];
  failures: string[];
}

/** Rounds are scaled down when there is less time than one takes. */
export async function run({ minutes, seed }: { minutes: number; seed: number }): Promise<ChaosResult> {
  const random = seededRandom(seed);
  const endMs = performance.now() + minutes * 60_000;
  const share = Math.min(1, minutes / WHOLE_MINUTES);
  const outcomes: Outcome[] = [];
  do {
    for (const [scenario, times] of ROUND)
      outcomes.push(await scenario({ times: Math.max(1, Math.round(times * share)), random }));
  } while (performance.now() < endMs);
  return {
    table: [
      ['what happened', 'found', 'as promised'],
      ...outcomes.map(({ name, figures, failures }) => [name, figures, failures.length === 0 ? 'yes' : 'no']),
    ],
    notes: [`Seed ${seed}.`],
    failures: outcomes.flatMap(({ failures }) => failures),
  };
}
