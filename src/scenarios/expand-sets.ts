/** The scenarios that a study names by set, written out. */
import {
  TASK_SETS,
  type ScenarioSet,
  type SocialScenarios,
  type TaskGrammar,
  type TaskSet,
} from '../protocol/scenarios/scenario-sets.ts';
import type { ScenarioInput } from '../protocol/study.ts';
import { socialScenario } from './social-scenario.ts';
import { taskScenario } from './task-scenario.ts';

export interface SetSources {
  grammar: TaskGrammar;
  social: SocialScenarios;
}

export function scenariosOf(
  { set, count, first, words }: ScenarioSet,
  { grammar, social }: SetSources,
): ScenarioInput[] {
  return Array.from({ length: count }, (_, place) => {
    const number = first + place;
    return isTask(set)
      ? taskScenario(grammar, { set, words, number })
      : socialScenario(social, { set, number });
  });
}

const isTask = (set: ScenarioSet['set']): set is TaskSet => Object.hasOwn(TASK_SETS, set);
