/**
 * What reaches the models, word for word, while episodes of every condition are played at once: with alternatives,
 * bystanders, a reader and a second history, no prompt of an agent holds another's goal or secret.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { couplingOf } from '../../../src/coordinator/conditions.ts';
import { agentsOfEpisode, planEpisodes, type PlannedEpisode } from '../../../src/coordinator/plan.ts';
import { openModel, type OpenModel } from '../../../src/model/worker/open-model.ts';
import type { Study } from '../../../src/protocol/study.ts';
import { importSotopia } from '../../../src/studies/sotopia/import-sotopia.ts';
import { playTalk, utterancesOf } from '../../fixtures/model/play-talk.ts';
import { CONDITIONS, leaks, type Told } from '../../fixtures/scenarios/leaks.ts';

let parts: OpenModel;
beforeAll(async () => {
  const folder = 'models/entrain-dialogue-300k';
  parts = await openModel({
    folder,
    provider: 'cpu',
    threads: 1,
    cacheFolder: '.cache/models',
    prefixBytes: 2 ** 24,
  });
});
afterAll(() => parts.release());

/** The model with a template that keeps what it renders. */
function recording(prompts: Set<string>): OpenModel {
  const recorded = (template: OpenModel['template']): OpenModel['template'] => ({
    ...template,
    at: (ms) => recorded(template.at(ms)),
    render: (...asked) => {
      const rendered = template.render(...asked);
      prompts.add(rendered.text);
      return rendered;
    },
  });
  return { ...parts, template: recorded(parts.template) };
}

/** Plays one episode; all prompts that its agents' models were given. */
async function promptsOf(study: Study, episode: PlannedEpisode): Promise<Told[]> {
  const agents = agentsOfEpisode(episode);
  const seen = new Map(agents.map((agent) => [agent, new Set<string>()]));
  const cast = {
    condition: episode.condition,
    order: episode.order,
    ...(episode.reader === undefined ? {} : { reader: episode.reader }),
    branches: { share: 1, alternatives: 2 },
    steps: { layers: [1], every: 1, control: true },
    couplingAt: (place: number) => couplingOf(study, episode, place),
    partsOf: (agent: string) => recording(seen.get(agent) ?? new Set()),
  };
  const first = await playTalk(parts, cast);
  const control = { episode: 'two', seed: 3, history: utterancesOf(first) };
  await playTalk(parts, { ...cast, control });
  return agents.flatMap((agent, index) =>
    [...(seen.get(agent) ?? [])].map((prompt) => ({
      prompt,
      own: episode.people[index] ?? { goal: '', secret: '' },
      others: episode.people.filter((_person, at) => at !== index),
    })),
  );
}

it.each(CONDITIONS)(
  '%s: no prompt holds what only the other may know',
  async (condition) => {
    const imported = await importSotopia('test/fixtures/sotopia', {
      name: 'sotopia',
      agents: ['ada', 'ben'],
      episodes: 1,
      combinations: 1,
    });
    const study: Study = {
      ...imported,
      conditions: [condition],
      reader: 'cleo',
      scenarios: imported.scenarios.map((one) => ({ ...one, script: ['It rains.'] })),
    };
    const told = (await Promise.all(planEpisodes(study).map((one) => promptsOf(study, one)))).flat();
    expect(told.length).toBeGreaterThan(4 * 2 * 4);
    expect(told.flatMap(leaks)).toEqual([]);
    // Each is told its own, but where it is told nothing.
    const own = told.filter(({ prompt, own: { goal } }) => goal !== '' && prompt.includes(goal));
    expect(own.length > 0).toBe(condition !== 'random');
  },
  240_000,
);
