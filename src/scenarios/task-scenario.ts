/** A scenario made by seed, as a study has it. */
import {
  TASK_SETS,
  type TaskGrammar,
  type TaskSet,
  type Words,
} from '../protocol/scenarios/scenario-sets.ts';
import type { Rule } from '../protocol/scenarios/rule-schema.ts';
import type { ScenarioInput } from '../protocol/study.ts';
import { FAMILIES, type Task } from './task-families.ts';
import { TASK_RULES } from './task-rules.ts';
import { createTaskSource } from './task-source.ts';

export interface TaskOf {
  set: TaskSet;
  words: Words;
  /** The scenario's number, which seeds its random choices. */
  number: number;
}

export function makeTask(grammar: TaskGrammar, { set, words, number }: TaskOf): Task {
  const family = TASK_SETS[set];
  return FAMILIES[family](createTaskSource(grammar, { family, words, seed: number }));
}

export function taskScenario(grammar: TaskGrammar, of: TaskOf): ScenarioInput {
  const { text, people, facts } = makeTask(grammar, of);
  const ruleOf = TASK_RULES[TASK_SETS[of.set]] as (facts: Task['facts']) => Rule | undefined;
  const rule = ruleOf(facts);
  const id = of.words === 'train' ? `${of.set}-train-${of.number}` : `${of.set}-${of.number}`;
  return { id, text, people, ...(rule ? { rule } : {}) };
}
