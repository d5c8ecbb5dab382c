/** `entrain study`: YAML as well as JSON, the plan of a study, and the published schema. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { planEpisodes } from '../../../src/coordinator/plan.ts';
import { readStudy } from '../../../src/process/run-folder/read-study.ts';
import { studyJsonSchema } from '../../../src/protocol/study.ts';
import { studyCommand } from '../../../src/studies/study-command.ts';

const folders: string[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function file(name: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-study-'));
  folders.push(folder);
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

async function say(...argv: string[]): Promise<{ status: number; said: string }> {
  let said = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true));
  const status = await studyCommand(argv).finally(() => spy.mockRestore());
  return { status, said };
}

const YAML = `# yaml-language-server: $schema=./study.schema.json
name: market
pairs: [[ada, ben]]
scenarios:
  - id: stall
    text: >
      Two people haggle
      over a lamp.
    people:
      - &seller { persona: I sell lamps., goal: Get 30 for it. }
      - { goal: "Pay 20: no more" }
  - id: shop
    text: Another day.
    people: [*seller, {}]
`;

describe('a study in YAML', () => {
  it('is read as its JSON is, with names for what is used often', async () => {
    const study = await readStudy(await file('market.yaml', YAML));
    expect(study.scenarios[0]?.text).toBe('Two people haggle over a lamp.\n');
    expect(study.scenarios.map(({ people }) => people[0]?.goal)).toEqual([
      'Get 30 for it.',
      'Get 30 for it.',
    ]);
    expect(study.scenarios[0]?.people[1]?.goal).toBe('Pay 20: no more');
  });

  it('gives every study that is shipped back as it is in JSON', async () => {
    const shipped = (await readdir('studies')).filter(
      (name) => name.endsWith('.json') && !name.includes('schema'),
    );
    expect(shipped.length).toBeGreaterThan(3);
    for (const name of shipped) {
      const value = JSON.parse(await readFile(join('studies', name), 'utf8')) as object;
      const yaml = await file('study.yml', stringify(value));
      expect(await readStudy(yaml)).toEqual(await readStudy(join('studies', name)));
    }
  });

  it.each([
    ['a key twice', 'name: a\nname: b\n', /is not YAML at line 2, column 1: Map keys must be unique\.$/],
    [
      'a bracket that is never closed',
      'name: a\npairs: [[ada, ben]\n',
      /is not YAML at line \d, column \d+: .+\.$/,
    ],
    ['a name for nothing', 'name: *nobody\n', /is not YAML.*: .*nobody\.?$/],
    ['a wrong field', `${YAML}maxTurn: 3\n`, /is not valid at the top level: Unrecognized key: "maxTurn"/],
    ['a list', '- a\n- b\n', /is not valid at the top level/],
    ['nothing', '', /is not valid at the top level/],
  ])('is refused with %s in one sentence', async (_what, text, said) => {
    const path = await file('bad.yaml', text);
    const error = await readStudy(path).catch((fault: unknown) => fault as Error);
    expect(error).toMatchObject({ code: 'STUDY_INVALID' });
    expect((error as Error).message).toMatch(said);
    expect((error as Error).message).not.toContain('\n');
  });

  it('is refused where names multiply into billions, and at once', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, at) => `l${at + 1}: &l${at + 1} [${Array.from({ length: 9 }, () => `*l${at}`).join(', ')}]`,
    );
    const path = await file('bomb.yaml', `l0: &l0 [x]\n${levels.join('\n')}\n`);
    const before = performance.now();
    await expect(readStudy(path)).rejects.toMatchObject({ code: 'STUDY_INVALID' });
    expect(performance.now() - before).toBeLessThan(5000);
  });
});

describe('the published schema of study files', () => {
  it('is studies/study.schema.json', async () => {
    const published = JSON.parse(await readFile('studies/study.schema.json', 'utf8')) as unknown;
    expect(published).toEqual(JSON.parse(JSON.stringify(studyJsonSchema())));
    expect((await say('schema')).said).toBe(await readFile('studies/study.schema.json', 'utf8'));
  });

  it('may be named in a study, by $schema, and has the form of a condition', async () => {
    const demo = JSON.parse(await readFile('studies/first.json', 'utf8')) as object;
    const named = await file('named.json', JSON.stringify({ $schema: './study.schema.json', ...demo }));
    expect(await readStudy(named)).toEqual(await readStudy('studies/first.json'));
    const { properties } = studyJsonSchema() as {
      properties: { conditions: { items: { pattern: string } } };
    };
    const pattern = new RegExp(properties.conditions.items.pattern);
    expect(['live', 'dose:0.5', 'dose:2', 'lively'].map((name) => pattern.test(name))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('entrain study', () => {
  it('validates a file, and names its fault', async () => {
    expect(await say('validate', 'studies/demo.json')).toEqual({
      status: 0,
      said: 'studies/demo.json is a study: demo\n',
    });
    await expect(say('validate', await file('x.json', '{}'))).rejects.toMatchObject({
      code: 'STUDY_INVALID',
    });
    await expect(say('validate')).rejects.toMatchObject({ code: 'USAGE' });
    await expect(say('run', 'studies/demo.json')).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('lists episodes, turns and turn pairs of the demo study', async () => {
    const { status, said } = await say('plan', 'studies/demo.json');
    const study = await readStudy('studies/demo.json');
    const episodes = planEpisodes(study).length;
    expect(status).toBe(0);
    expect(said).toContain(`= ${episodes} episodes`);
    expect(said).toContain(`turns    ${(episodes * study.maxTurns).toLocaleString('en')} at most`);
    expect(said).toContain(
      'group    1 → 2, each condition: 10 scenarios, 50 episodes, 300 turn pairs (needed: 6, 18, 120)',
    );
    expect(said).toContain(
      'group    2 → 1, each condition: 10 scenarios, 50 episodes, 250 turn pairs (needed: 6, 18, 120)',
    );
    expect(said).toContain('disk     not known without --model');
  });

  it('ends with status 1 where a group can give no score, and says what is wanting', async () => {
    const { status, said } = await say('plan', 'studies/first.json');
    expect(status).toBe(1);
    expect(said).toContain(
      'too few: 1 of 3 episodes of a scenario, 1 of 6 scenarios, 1 of 18 episodes, 4 of 120 turn pairs',
    );
    expect(said).toContain('note     this study can give at most');
  });

  it('plans the branches of a study, and says nothing of them where there are none', async () => {
    const { said } = await say('plan', 'studies/branches-first.json');
    // Two episodes of six turns, half of which branch, with two alternatives of 32 tokens each.
    expect(said).toContain('branches about 6 turns, with 12 alternatives of 384 tokens at most\n');
    expect((await say('plan', 'studies/first.json')).said).not.toContain('branches');
    // Half of 960 turns, five of six episodes, three versions of each size.
    expect((await say('plan', 'studies/patching.json')).said).toContain(
      'patches  about 3,600 versions with a moved state, of 115,200 tokens at most',
    );
  });

  it('knows disk and context by the folder of a model, without loading it', async () => {
    const { said } = await say('plan', 'studies/first.json', '--model', 'models/entrain-dialogue-8m');
    expect(said).toMatch(/disk {5}[\d.]+ GB at most/);
    expect(said).toMatch(
      /context {2}entrain-dialogue-8m: about \d+ of [\d,]+ tokens for the longest prompt \(bakery\), fits/,
    );
    const long = JSON.parse(await readFile('studies/first.json', 'utf8')) as {
      scenarios: { text: string }[];
    };
    (long.scenarios[0] as { text: string }).text = 'one two three '.repeat(280);
    const { said: full } = await say(
      'plan',
      await file('long.json', JSON.stringify({ ...long, maxTokens: 900 })),
      '--model',
      'models/entrain-dialogue-8m',
    );
    expect(full).toContain('too long with two utterances of 900 tokens');
  });

  it('refuses a model of nobody', async () => {
    await expect(say('plan', 'studies/first.json', '--model', 'eve=models/x')).rejects.toMatchObject({
      message: '--model names agent "eve": expected one of ada, ben.',
    });
  });
});
