/** Scenarios by set in a study: how many there are, who is told what, and what is refused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, asyncProperty, constantFrom, integer, record } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemPrompt } from '../../../src/protocol/scenarios/system-prompt.ts';
import { couplingOf } from '../../../src/coordinator/conditions.ts';
import { agentsOfEpisode, planEpisodes } from '../../../src/coordinator/plan.ts';
import { readStudy } from '../../../src/process/run-folder/read-study.ts';
import { setSources } from '../../../src/process/run-folder/scenario-sets.ts';
import { SOCIAL_SETS, TASK_SETS, type ScenarioSet } from '../../../src/protocol/scenarios/scenario-sets.ts';
import type { Condition, Study } from '../../../src/protocol/study.ts';
import { scenariosOf } from '../../../src/scenarios/expand-sets.ts';
import { socialScenario } from '../../../src/scenarios/social-scenario.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-sets-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(scenarios: unknown, more: object = {}): Promise<Study> {
  const file = join(folder, 'study.json');
  await writeFile(file, JSON.stringify({ name: 'sets', pairs: [['ada', 'ben']], scenarios, ...more }));
  return readStudy(file);
}

const SETS = [...Object.keys(TASK_SETS), ...SOCIAL_SETS] as ScenarioSet['set'][];
const CONDITIONS: Condition[] = ['live', 'reader', 'monologue', 'shared-input', 'random', 'dose:0.5'];
const sources = await setSources();
const { people, sets } = sources.social;

describe('the scenarios of our own', () => {
  it('are 60 or more in 8 families or more, with 24 persons or more, all with texts of their own', () => {
    const scenarios = Object.values(sets).flatMap((set) => set.scenarios);
    expect(Object.keys(sets).toSorted()).toEqual([...SOCIAL_SETS].toSorted());
    expect(SOCIAL_SETS.length).toBeGreaterThanOrEqual(8);
    expect(scenarios.length).toBeGreaterThanOrEqual(60);
    expect(people.length).toBeGreaterThanOrEqual(24);
    expect(new Set(scenarios.map(({ text }) => text)).size).toBe(scenarios.length);
    for (const field of ['name', 'own', 'secret'] as const)
      expect(new Set(people.map((one) => one[field])).size).toBe(people.length);
    expect(new Set(scenarios.map(({ relationship }) => relationship))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
  });

  it('tell of the other what the relationship allows, and no more', () => {
    for (const set of SOCIAL_SETS)
      for (let number = 1; number <= 24; number++) {
        const { relationship } = sets[set].scenarios[(number - 1) % 8] ?? { relationship: -1 };
        const made = socialScenario(sources.social, { set, number });
        for (const at of [0, 1]) {
          const persona = made.people[at]?.persona ?? '';
          const other = people.find(({ name }) => made.people[1 - at]?.persona?.startsWith(`I am ${name},`));
          const own = people.find(({ name }) => persona.startsWith(`I am ${name},`));
          if (!other || !own) throw new Error('nobody');
          const told = persona.slice(persona.indexOf(own.own) + own.own.length);
          expect(told.includes(other.name)).toBe(relationship >= 1);
          expect(told.includes(other.work)).toBe(relationship >= 2);
          expect(told.includes(`likes ${other.likes}`)).toBe(relationship >= 3);
          expect(persona).not.toContain(other.own);
        }
      }
  });
});

interface Told {
  prompt: string;
  own: string;
  hidden: string[];
}

/** What each agent of each episode is told, beside the goals and secrets of the others in it. */
function everyPrompt(study: Study): Told[] {
  return planEpisodes(study).flatMap((episode) =>
    agentsOfEpisode(episode).map((_agent, index) => {
      const { person, scenario, hears } = couplingOf(study, episode, index);
      const script = typeof hears === 'object' && 'script' in hears ? hears.script.join(' ') : '';
      const own = episode.people[index] ?? { goal: '', secret: '' };
      const others = episode.people.filter((_person, at) => at !== index);
      return {
        prompt: `${systemPrompt({ scenario, person })} ${script}`,
        own: `${own.goal} ${own.secret}`,
        hidden: others.flatMap(({ goal, secret }) => [goal, ...secret.split(/(?<=\.) /)]),
      };
    }),
  );
}

describe('a study with sets', () => {
  it('has the scenarios written out, with rules, in their place among the others', async () => {
    const own = { id: 'own', text: 'Two meet.', people: [{}, {}] };
    const { scenarios } = await read([
      { set: 'bargaining', count: 12 },
      own,
      { set: 'comfort', count: 2, first: 8 },
    ]);
    expect(scenarios.map(({ id }) => id)).toEqual([
      ...Array.from({ length: 12 }, (_, at) => `bargaining-${at + 1}`),
      'own',
      'comfort-8',
      'comfort-9',
    ]);
    expect(scenarios.slice(0, 12).every(({ rule }) => rule?.kind === 'price')).toBe(true);
    expect(scenarios[14]?.text).toBe(sets.comfort.scenarios[0]?.text);
    expect(scenarios[14]?.people).not.toEqual(
      scenariosOf({ set: 'comfort', count: 1, first: 1, words: 'heldOut' }, sources)[0]?.people,
    );
  });

  it('may be YAML', async () => {
    const file = join(folder, 'sets.yaml');
    await writeFile(file, 'name: y\npairs: [[a, b]]\nscenarios:\n  - set: meeting\n    count: 3\n');
    expect((await readStudy(file)).scenarios).toHaveLength(3);
  });

  it.each<[string, object, RegExp]>([
    [
      'a set that there is not',
      { set: 'haggling', count: 2 },
      /at scenarios\.1, is not valid at set.*bargaining/,
    ],
    ['no count', { set: 'meeting' }, /at scenarios\.1, is not valid at count/],
    ['a count of 0', { set: 'meeting', count: 0 }, /at scenarios\.1, is not valid at count/],
    ['a field that there is not', { set: 'meeting', count: 1, text: 'x' }, /at scenarios\.1, .*text/],
    ['scenarios that come twice', { set: 'friendless', count: 1 }, /not valid at set/],
  ])('refuses %s', async (_what, set, said) => {
    await expect(read([{ set: 'meeting', count: 1 }, set])).rejects.toThrow(said);
  });

  it('refuses the same scenario twice', async () => {
    const twice = [
      { set: 'meeting', count: 3 },
      { set: 'meeting', count: 1, first: 2 },
    ];
    await expect(read(twice)).rejects.toThrow(/has "meeting-2" twice in scenarios/);
  });

  it('shows no agent the goal or the secret of another, in any condition', async () => {
    const anySet = record({
      set: constantFrom(...SETS),
      first: integer({ min: 1, max: 100_000 }),
      words: constantFrom('heldOut' as const, 'train' as const),
    });
    let prompts = 0;
    await assert(
      asyncProperty(anySet, async ({ set, first, words }) => {
        const scenarios = scenariosOf({ set, first, words, count: 3 }, sources);
        const study = await read(
          scenarios.map((one) => ({ ...one, script: ['It rains.'] })),
          { conditions: CONDITIONS, reader: 'cleo' },
        );
        for (const { prompt, own, hidden } of everyPrompt(study)) {
          prompts += 1;
          for (const text of hidden)
            if (text !== '' && !own.includes(text)) expect(prompt).not.toContain(text);
        }
      }),
      { numRuns: 150 },
    );
    expect(prompts).toBe(150 * 3 * (5 * 2 + 3));
  });
});
