/** Task scenarios and their scores equal those of Python for the same file (training/entrain_training/tasks). */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { scoreByRule } from '../../../src/outcomes/score-by-rule.ts';
import { setSources } from '../../../src/process/run-folder/scenario-sets.ts';
import { ruleFault } from '../../../src/protocol/scenarios/rule-schema.ts';
import {
  TASK_SETS,
  type TaskFamily,
  type TaskSet,
  type Words,
} from '../../../src/protocol/scenarios/scenario-sets.ts';
import { makeTask, taskScenario } from '../../../src/scenarios/task-scenario.ts';

interface FromPython {
  scenarios: {
    family: TaskFamily;
    side: Words;
    seed: number;
    text: string;
    people: object[];
    facts: object;
  }[];
  hashes: Record<string, string>;
  talks: { family: TaskFamily; seed: number; turns: string[]; success: number }[];
}

const python = JSON.parse(await readFile('test/fixtures/scenarios/from-python.json', 'utf8')) as FromPython;
const { grammar } = await setSources();
const setOf = (family: string): TaskSet =>
  (Object.keys(TASK_SETS) as TaskSet[]).find((set) => TASK_SETS[set] === family) as TaskSet;

/** JSON as Python wrote it: without spaces, keys in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

describe('task scenarios', () => {
  it.each(python.scenarios)('are those of Python: $family, $side, seed $seed', (wanted) => {
    const made = makeTask(grammar, { set: setOf(wanted.family), words: wanted.side, number: wanted.seed });
    const { family: _, side: _side, seed: _seed, ...same } = wanted;
    expect(made).toEqual(same);
  });

  it.each(Object.entries(python.hashes))('are those of Python for 200 seeds: %s', (name, wanted) => {
    const [family, side] = name.split(' ') as [string, Words];
    const hash = createHash('sha256');
    for (let seed = 1; seed <= 200; seed++) {
      const task = makeTask(grammar, { set: setOf(family), words: side, number: seed });
      hash.update(`${JSON.stringify(sorted({ ...task, family, side, seed }))}\n`);
    }
    expect(hash.digest('hex')).toBe(wanted);
  });

  it('have rules that can be met, all but a wish', () => {
    for (const set of Object.keys(TASK_SETS) as TaskSet[])
      for (let number = 1; number <= 100; number++) {
        const { rule } = taskScenario(grammar, { set, words: 'heldOut', number });
        if (set === 'wish') expect(rule).toBeUndefined();
        else expect(rule && ruleFault(rule)).toBeUndefined();
        expect(rule === undefined).toBe(set === 'wish');
      }
  });

  it('are compared on talks of every family, good ones and bad ones', () => {
    const families = python.scenarios.map(({ family }) => family).filter((family) => family !== 'wish');
    for (const family of families) {
      const talks = python.talks.filter((talk) => talk.family === family);
      expect(new Set(talks.map(({ success }) => success)).size).toBeGreaterThan(1);
    }
  });

  it.each(python.talks)('are scored as in Python: $family, seed $seed, $success', (talk) => {
    const { rule } = taskScenario(grammar, { set: setOf(talk.family), words: 'heldOut', number: talk.seed });
    if (!rule) throw new Error('no rule');
    const scores = scoreByRule(rule, talk.turns).map(({ success }) => success ?? Number.NaN);
    // Python has one figure for both; of a secret that nobody may hear it is the holder's.
    const at = rule.kind === 'secret' ? rule.holder - 1 : 0;
    expect(scores[at]).toBeCloseTo(talk.success, 12);
    if (rule.kind !== 'secret') expect(scores[1]).toBe(scores[0]);
  });
});
