/**
 * From a study to its episodes: a pure function, so that the same study always gives the same plan. Conditions alternate
 * and scenarios go round, so that every group grows evenly and a run that is cut short is still balanced.
 */
import type { Hears } from '../protocol/control.ts';
import { deriveSeed } from '../protocol/seed.ts';
import type { Condition, Scenario, Study } from '../protocol/study.ts';

export interface PlannedEpisode {
  id: string;
  scenario: Scenario;
  /** Name of the pairing, equal for both speaking orders. */
  pair: string;
  /** Agent ids in speaking order. */
  order: [string, string];
  condition: Condition;
  seed: number;
}

export function planEpisodes(study: Study): PlannedEpisode[] {
  const plan: PlannedEpisode[] = [];
  for (let round = 0; round < study.episodes; round += 1) {
    for (const scenario of study.scenarios) {
      for (const order of study.pairs) {
        for (const condition of study.conditions) {
          const id = `e${String(plan.length + 1).padStart(4, '0')}`;
          // Not of the condition: what one condition draws, the other draws too, so that only the coupling differs.
          const seed = deriveSeed(study.seed, scenario.id, order.join('+'), round);
          plan.push({ id, scenario, pair: pairName(order), order, condition, seed });
        }
      }
    }
  }
  return plan;
}

/** What the agents of a condition hear of each other. */
export function hearsOf(condition: Condition): Hears {
  switch (condition) {
    case 'live':
      return 'all';
    case 'monologue':
      return 'none';
  }
}

function pairName(order: readonly string[]): string {
  return [...order].sort().join('+');
}
