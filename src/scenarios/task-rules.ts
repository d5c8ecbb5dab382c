/** The rule of `entrain evaluate` that scores a task; roles are numbered from 1. */
import type { TaskFamily } from '../protocol/scenarios/scenario-sets.ts';
import type { Rule } from '../protocol/scenarios/rule-schema.ts';
import type { TaskFacts } from './task-families.ts';

type RuleMakers = { [Family in TaskFamily]: (facts: TaskFacts[Family]) => Rule | undefined };

export const TASK_RULES: RuleMakers = {
  friend: ({ names }) => ({ kind: 'friend', names }),
  divide: ({ values }) => ({ kind: 'division', values }),
  price: ({ seller, low, high }) => ({ kind: 'price', seller: seller + 1, least: low, most: high }),
  meet: ({ slots, places }) => ({ kind: 'meeting', times: slots, places }),
  secret: ({ told, holder, value }) => ({
    kind: told ? 'relay' : 'secret',
    holder: holder + 1,
    word: value,
  }),
  know: ({ knower, to, from }) => ({ kind: 'belief', knower: knower + 1, truth: to, belief: from }),
  wish: () => undefined,
};
