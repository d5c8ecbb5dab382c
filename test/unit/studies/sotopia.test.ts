/**
 * Studies made of SOTOPIA's files: what each agent may know, with files of our own and, where they are, with those
 * published.
 */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemPrompt } from '../../../src/protocol/scenarios/system-prompt.ts';
import { couplingOf } from '../../../src/coordinator/conditions.ts';
import { planEpisodes, agentsOfEpisode } from '../../../src/coordinator/plan.ts';
import { readStudy } from '../../../src/process/run-folder/read-study.ts';
import type { Study } from '../../../src/protocol/study.ts';
import { importCommand } from '../../../src/studies/import-command.ts';
import { importSotopia } from '../../../src/studies/sotopia/import-sotopia.ts';
import { CONDITIONS, leaks, type Told } from '../../fixtures/scenarios/leaks.ts';
import { sharedFolder } from '../../fixtures/shared.ts';

const OURS = 'test/fixtures/sotopia';
const PUBLISHED = sharedFolder('sotopia');
const OPTIONS = { name: 'sotopia', agents: ['ada', 'ben'] as [string, string], episodes: 1 };

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-sotopia-'));
  folders.push(folder);
  return folder;
}

/** A copy of our files with a change to one of them. */
async function changed(file: string, change: (value: never) => unknown): Promise<string> {
  const folder = await temporary();
  await cp(OURS, folder, { recursive: true });
  const value = JSON.parse(await readFile(join(folder, file), 'utf8')) as never;
  await writeFile(join(folder, file), JSON.stringify(change(value)));
  return folder;
}

const scenario = (study: Study, name: string): Study['scenarios'][number] => {
  const found = study.scenarios.find(({ id }) => id.startsWith(name));
  if (!found) throw new Error(`no scenario ${name}`);
  return found;
};

/** What every agent of every episode is told before and, in scripts, while it talks. */
function everyPrompt(study: Study): Told[] {
  const whole: Study = {
    ...study,
    conditions: CONDITIONS,
    reader: 'cleo',
    scenarios: study.scenarios.map((one) => ({ ...one, script: ['It rains.'] })),
  };
  return planEpisodes(whole).flatMap((episode) =>
    agentsOfEpisode(episode).map((_agent, index) => {
      const { person, scenario: told, hears } = couplingOf(whole, episode, index);
      const script = typeof hears === 'object' && 'script' in hears ? hears.script.join(' ') : '';
      const others = episode.people.filter((_person, at) => at !== index);
      return {
        prompt: `${systemPrompt({ scenario: told, person })} ${script}`,
        own: episode.people[index] ?? { goal: '', secret: '' },
        others,
      };
    }),
  );
}

/** What is wrong, in which file, by which change, and what the refusal says. */
type Refused = [what: string, file: string, change: (value: never) => unknown, said: string];

describe('a study of SOTOPIA’s files', () => {
  it('has a scenario for each combination, in both conditions, with at most 20 turns, and anybody may leave', async () => {
    const study = await importSotopia(OURS, OPTIONS);
    expect(study.scenarios).toHaveLength(8);
    expect(new Set(study.scenarios.map(({ id }) => id)).size).toBe(8);
    expect(study).toMatchObject({
      maxTurns: 20,
      minTurns: 0,
      pairs: [['ada', 'ben']],
      conditions: ['live', 'monologue'],
    });
  });

  it('tells nobody what is for the environment, and each its own goal with its hints', async () => {
    const rope = scenario(await importSotopia(OURS, OPTIONS), 'share-rope');
    expect(rope.text).toBe('Two climbers have one rope left.');
    expect(rope.people.map(({ goal }) => goal)).toEqual([
      'Go up first. (Extra information: the light fades in an hour Hint: speak of the weather.)',
      'Stay down with your group.\nYou have:\nwater\nbread',
    ]);
  });

  it('tells one agent alone what is for that agent', async () => {
    const keys = scenario(await importSotopia(OURS, OPTIONS), 'lost_keys');
    expect(keys.text).not.toContain('spare key');
    expect(keys.people.map(({ persona }) => persona.includes('The neighbor has a spare key.'))).toEqual([
      false,
      true,
    ]);
  });

  it.each([
    ['share-rope', 0, 'I have never met the other person.', ['Otto', 'Ferryman', 'accordion', 'waits']],
    ['pick_song', 1, 'I know the other person by name: Otto Brandt.', ['Ferryman', 'accordion', 'waits']],
    [
      'lost_keys',
      2,
      'The other person, whom I know a little, is Otto Brandt, 51 years old, Ferryman (He/him). Otto plays the accordion.',
      ['waits'],
    ],
    ['buy_boat', 3, 'Otto plays the accordion. He waits and listens.', ['sold the ferry']],
  ])('masks the other in %s, of relationship %i', async (...[name, , told, hidden]) => {
    const [{ persona } = { persona: '' }] = scenario(await importSotopia(OURS, OPTIONS), name).people;
    expect(persona).toContain(
      'I am Ines Falk, 34 years old, Glazier (She/her). Ines keeps bees on her roof. She says what she thinks.',
    );
    expect(persona).toContain(told);
    for (const word of hidden) expect(persona).not.toContain(word);
  });

  it('shows no agent the goal or the secret of another, in any condition', async () => {
    const prompts = everyPrompt(await importSotopia(OURS, OPTIONS));
    expect(prompts).toHaveLength(8 * (6 * 2 + 3));
    expect(prompts.flatMap(leaks)).toEqual([]);
  });

  it('gives each agent its own secret and goal', async () => {
    const { scenarios } = await importSotopia(OURS, OPTIONS);
    expect(scenarios.slice(0, 2).map(({ people }) => people.map(({ secret }) => secret))).toEqual([
      ['She has never learnt to swim.', 'He sold the ferry last week.'],
      ['He sold the ferry last week.', ''],
    ]);
    expect(scenarios[6]?.people.map(({ goal }) => goal)).toEqual([
      'Pay half each.',
      'Let the other pay it all.',
    ]);
  });

  it('takes the first combinations of each scenario where fewer are asked for', async () => {
    const study = await importSotopia(OURS, { ...OPTIONS, combinations: 1 });
    expect(study.scenarios.map(({ id }) => id)).toEqual([
      'share-rope-C0',
      'pick_song-C2',
      'lost_keys-C4',
      'buy_boat-C6',
    ]);
  });

  it.each([
    [
      'a scenario without goals',
      'envs.json',
      (envs: Record<string, object>) => ({
        ...envs,
        'ENV-SONG': { ...envs['ENV-SONG'], agent_goals: undefined },
      }),
      'ENV-SONG.agent_goals',
    ],
    [
      'a relationship that there is not',
      'envs.json',
      (envs: Record<string, object>) => ({ ...envs, 'ENV-SONG': { ...envs['ENV-SONG'], relationship: 6 } }),
      'ENV-SONG.relationship',
    ],
    [
      'a character without a secret field',
      'agents.json',
      (agents: Record<string, object>) => ({ ...agents, 'AG-2': { ...agents['AG-2'], secret: undefined } }),
      'AG-2.secret',
    ],
    [
      'a combination of three',
      'env_agent_combos.json',
      (all: object[]) => [{ ...all[0], agent_ids: ['AG-1', 'AG-2', 'AG-3'] }],
      '0.agent_ids',
    ],
    [
      'a combination of nobody known',
      'env_agent_combos.json',
      (all: object[]) => [{ ...all[0], agent_ids: ['AG-1', 'toString'] }],
      'names agent toString',
    ],
    [
      'a combination of no scenario',
      'env_agent_combos.json',
      (all: object[]) => [{ ...all[0], env_id: 'ENV-X' }],
      'names scenario ENV-X',
    ],
    ['no combination', 'env_agent_combos.json', () => [], 'has no combination'],
    [
      'a persona that is too long',
      'agents.json',
      (agents: Record<string, object>) => ({
        ...agents,
        'AG-1': { ...agents['AG-1'], public_info: 'x'.repeat(3000) },
      }),
      'scenarios.0.people.0.persona',
    ],
  ] as Refused[])('refuses %s by name', async (...[, file, change, said]) => {
    const folder = await changed(file, change);
    await expect(importSotopia(folder, OPTIONS)).rejects.toMatchObject({
      code: 'STUDY_INVALID',
      message: expect.stringContaining(said) as string,
    });
  });

  it('refuses a folder without the files', async () => {
    await expect(importSotopia('test/fixtures', OPTIONS)).rejects.toMatchObject({
      message: expect.stringMatching(/envs\.json cannot be read/) as string,
    });
  });

  it('is written by the command as a file that a run can take', async () => {
    const out = join(await temporary(), 'out.json');
    expect(
      await importCommand(['sotopia', OURS, '--out', out, '--agents', 'cleo,dora', '--episodes', '4']),
    ).toBe(0);
    expect(await readStudy(out)).toMatchObject({ pairs: [['cleo', 'dora']], episodes: 4, name: 'sotopia' });
    await expect(importCommand(['sotopia', OURS, '--agents', 'cleo'])).rejects.toMatchObject({
      code: 'USAGE',
    });
    await expect(importCommand(['other', OURS])).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe.skipIf(!existsSync(PUBLISHED))('the files as they are published (../shared/sotopia)', () => {
  let prompts: Told[];
  beforeAll(async () => void (prompts = everyPrompt(await importSotopia(PUBLISHED, OPTIONS))), 120_000);

  it('are one study of 450 combinations of 90 scenarios', async () => {
    const study = await importSotopia(PUBLISHED, OPTIONS);
    expect(study.scenarios).toHaveLength(450);
    expect(new Set(study.scenarios.map(({ text }) => text)).size).toBeGreaterThan(60);
    expect((await importSotopia(PUBLISHED, { ...OPTIONS, combinations: 1 })).scenarios).toHaveLength(90);
  });

  it('give each character of a combination its own secret', async () => {
    const read = async (file: string): Promise<never> =>
      JSON.parse(await readFile(join(PUBLISHED, file), 'utf8')) as never;
    const agents: Record<string, { secret: string }> = await read('agents.json');
    const combinations: { pk: string; agent_ids: string[] }[] = await read('env_agent_combos.json');
    const { scenarios } = await importSotopia(PUBLISHED, OPTIONS);
    for (const [at, { pk, agent_ids: ids }] of combinations.entries()) {
      expect(scenarios[at]?.id.endsWith(pk)).toBe(true);
      expect(scenarios[at]?.people.map(({ secret }) => secret)).toEqual(ids.map((id) => agents[id]?.secret));
    }
  });

  it('leave no tag in any prompt', () => {
    expect(
      prompts.filter(({ prompt }) => /<\/?(p|extra_info|strategy_hint|clarification_hint)\b/.test(prompt)),
    ).toEqual([]);
    expect(prompts.filter(({ prompt }) => prompt.includes('common friends:'))).toEqual([]);
  });

  it('show no agent the goal or the secret of another, in any condition', () => {
    expect(prompts).toHaveLength(450 * 15);
    expect(prompts.flatMap(leaks)).toEqual([]);
  });
});
