/**
 * From a study to its episodes: a pure function, so that the same study always gives the same plan. Conditions alternate
 * and scenarios go round, so that every group grows evenly and a run that is cut short is still balanced.
 */
import { deriveSeed } from '../protocol/seed.ts';
import type { Condition, Person, Scenario, Study } from '../protocol/study.ts';

export interface PlannedEpisode {
  id: string;
  scenario: Scenario;
  /** What both read in `shared-input`. */
  script: string[];
  /** Name of the pairing, equal for all speaking orders. */
  pair: string;
  /** Agent ids in speaking order. */
  order: string[];
  /** Who reads along in the place of the last speaker. */
  reader: string | undefined;
  /** Whom the agents are: those of `order`, then the reader. */
  people: Person[];
  condition: Condition;
  seed: number;
}

export function planEpisodes(study: Study): PlannedEpisode[] {
  const plan: PlannedEpisode[] = [];
  for (let round = 0; round < study.episodes; round += 1) {
    for (const scenario of study.scenarios) {
      for (const [pairing, order] of study.pairs.entries()) {
        const script = scenario.scripts[round * study.pairs.length + pairing] ?? scenario.script;
        for (const condition of study.conditions) {
          const id = `e${String(plan.length + 1).padStart(4, '0')}`;
          // Not of the condition: what one condition draws, the other draws too, so that only the coupling differs.
          const seed = deriveSeed(study.seed, scenario.id, order.join('+'), round);
          const reader = condition === 'reader' ? study.reader : undefined;
          const people = peopleOf(study, { scenario, order, reader });
          plan.push({ id, scenario, script, pair: pairName(order), order, reader, people, condition, seed });
        }
      }
    }
  }
  return plan;
}

/** The most groups that a study can give: a condition, and an ordered pair of places of each list of agents. */
export function plannedGroups({ conditions, pairs }: Pick<Study, 'conditions' | 'pairs'>): number {
  return conditions.length * pairs.reduce((sum, { length }) => sum + length * (length - 1), 0);
}

/** Every agent of an episode, by seat: the speakers in their order, then the reader. */
export function seatedAgents({ order, reader }: PlannedEpisode): string[] {
  return reader === undefined ? order : [...order, reader];
}

function peopleOf(
  study: Study,
  { scenario, order, reader }: { scenario: Scenario; order: string[]; reader: string | undefined },
): Person[] {
  const speakers = scenario.people.slice(0, order.length);
  const person = reader === undefined ? undefined : readerOf(study.scenarios, scenario);
  return person ? [...speakers, person] : speakers;
}

/** Another persona than those who talk: the scenario's own reader, or the last person of the next scenario. */
export function readerOf(scenarios: readonly Scenario[], scenario: Scenario): Person | undefined {
  if (scenario.reader || scenarios.length < 2) return scenario.reader;
  const next = scenarios[(scenarios.indexOf(scenario) + 1) % scenarios.length];
  return next?.people.at(-1);
}

function pairName(order: readonly string[]): string {
  return [...order].sort().join('+');
}
