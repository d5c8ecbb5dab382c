/** `entrain analyze`: synchrony beside outcomes over pairs of models, from planted tables and from run folders. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { analyzeTables, type Analysis } from '../../../src/analysis/analyze-tables.ts';
import { run } from '../../../src/analysis/main.ts';
import { seededRandom } from '../../../src/numeric/random.ts';
import type { Condition } from '../../../src/protocol/study.ts';
import { makeTalkFolder } from '../../fixtures/recordings/talk-folder.ts';

const OPTIONS = { covariates: new Map(), draws: 199, seed: 1 };

/** Models with a skill each: it makes the outcome, and by the share `drive` synchrony. */
function planted(models: number, drive: number, seed: number): Parameters<typeof analyzeTables>[0] {
  const random = seededRandom(seed, 41);
  const skill = Array.from({ length: models }, () => random.normal());
  const other = Array.from({ length: models }, () => random.normal());
  const table = (value: (i: number, j: number) => number) =>
    skill.map((_row, i) => skill.map((_cell, j) => (i === j ? undefined : value(i, j))));
  const of = (values: number[], i: number, j: number): number => (values[i] ?? 0) + (values[j] ?? 0);
  const synchrony = table(
    (i, j) => drive * of(skill, i, j) + (1 - drive) * of(other, i, j) + 0.2 * random.normal(),
  );
  const outcome = table((i, j) => of(skill, i, j) + 0.2 * random.normal());
  return {
    models: skill.map((_value, at) => `m${at}`),
    synchrony,
    outcomes: [{ name: 'rule success', both: outcome, predicted: outcome }],
    provisional: 0,
  };
}

describe('an analysis of planted models', () => {
  it('finds synchrony that skill drives, with the true r within its interval in most studies', () => {
    // Variances: skills of two models 2, drive 0.8 of them beside 0.2 of something else, and noise.
    const truth = 1.6 / Math.sqrt((2 * (0.8 ** 2 + 0.2 ** 2) + 0.04) * 2.04);
    const studies = Array.from({ length: 40 }, (_, seed) =>
      analyzeTables(planted(7, 0.8, seed), { ...OPTIONS, draws: 99 }),
    );
    const found = studies.map(({ associations }) => associations[0]);
    const holding = found.filter(
      (one) => one?.interval && one.interval.low <= truth && truth <= one.interval.high,
    );
    expect(holding.length).toBeGreaterThan(33);
    expect(found.filter((one) => (one?.pValue ?? 1) <= 0.05).length).toBeGreaterThan(33);
  });

  it('has p-values that are uniform where skill drives nothing', () => {
    const p = Array.from(
      { length: 200 },
      (_, seed) => analyzeTables(planted(5, 0, seed), OPTIONS).associations[0]?.pValue ?? 0,
    );
    for (const level of [0.05, 0.2, 0.5, 0.8]) {
      const share = p.filter((value) => value <= level).length / p.length;
      expect(Math.abs(share - level)).toBeLessThan(4 * Math.sqrt((level * (1 - level)) / p.length));
    }
  });

  it('corrects its p-values for their number, and holds covariates of both models constant', () => {
    const tables = planted(6, 0.5, 9);
    const size = new Map(tables.models.map((name, at) => [name, at]));
    const { associations } = analyzeTables(tables, { ...OPTIONS, covariates: new Map([['size', size]]) });
    expect(associations.map(({ of }) => of)).toEqual(['both', 'predicted']);
    for (const { pValue, qValue, partial } of associations) {
      expect(qValue).toBeGreaterThanOrEqual(pValue);
      expect(partial).toBeDefined();
    }
  });
});

const MODELS = { ada: 'm-a', ben: 'm-b', cy: 'm-c', di: 'm-d' };
const AGENTS = Object.keys(MODELS) as (keyof typeof MODELS)[];
const SKILL = { ada: 1, ben: 2, cy: 4, di: 8 };
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

interface RunOptions {
  provisional?: boolean;
  outcomes?: boolean;
  condition?: Condition;
}

/** A run of all ordered pairs of four models; synchrony is that of the predicted model's skill. */
async function runFolder({
  provisional = false,
  outcomes = true,
  condition = 'live',
}: RunOptions = {}): Promise<string> {
  const orders = AGENTS.flatMap((first) =>
    AGENTS.filter((second) => second !== first).map((second) => [first, second] as const),
  );
  const folder = await makeTalkFolder({
    scenarios: [{ id: 's', text: '', people: [{}, {}] }],
    episodes: orders.map((order, at) => ({
      id: `e${at}`,
      scenario: 's',
      texts: ['a', 'b'],
      order: [...order],
      condition,
    })),
    models: MODELS,
  });
  folders.push(folder);
  const model = (agent: keyof typeof MODELS): object => ({ name: MODELS[agent], sha256: 'a'.repeat(64) });
  const scores = orders.flatMap(([source, target]) => {
    const line = {
      type: 'score',
      group: `${source}>${target}`,
      condition: 'live',
      source: model(source),
      target: model(target),
    };
    return [
      { ...line, provisional: true, strict: { excess: -99 } },
      { ...line, provisional, strict: { excess: SKILL[target] / 10 + SKILL[source] / 1000 } },
    ];
  });
  const lines = orders.flatMap((order, at) =>
    order.map((agent) => ({
      type: 'outcome',
      run: 'talk',
      episode: `e${at}`,
      agent,
      name: 'success',
      value: SKILL[agent],
      source: 'rule',
      atMs: 1,
    })),
  );
  const text = (values: object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  await writeFile(join(folder, 'scores.jsonl'), text(scores));
  if (outcomes) await writeFile(join(folder, 'outcomes.jsonl'), text(lines));
  return folder;
}

async function analyze(...argv: string[]): Promise<string> {
  let said = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true));
  await run(argv).finally(() => spy.mockRestore());
  return said;
}

describe('entrain analyze', () => {
  it('takes the last score of each group and the outcomes of its models, over ordered pairs', async () => {
    const { models, associations, relations } = JSON.parse(
      await analyze(await runFolder(), '--json'),
    ) as Analysis;
    expect(models).toEqual(['m-a', 'm-b', 'm-c', 'm-d']);
    expect(
      associations.map(({ of, cells, permutations, exact }) => [of, cells, permutations, exact]),
    ).toEqual([
      ['both', 12, 24, true],
      ['predicted', 12, 24, true],
    ]);
    const [both, predicted] = associations;
    expect(predicted?.pearson).toBeGreaterThan(0.999);
    expect(predicted?.pValue).toBeCloseTo(1 / 24, 12);
    expect(both?.pearson).toBeGreaterThan(0.5);
    expect(both?.pearson).toBeLessThan(0.9);
    if ('reason' in relations) throw new Error(relations.reason);
    expect(relations.variance.partner).toBeGreaterThan(50 * relations.variance.actor);
  });

  it('says how many models there are and what their number allows', async () => {
    const said = await analyze(await runFolder());
    expect(said).toContain('4 models in 1 run, condition live');
    expect(said).toContain('with 4 models no p can be below 1/24');
    expect(said).toMatch(/rule success +predicted +12 +\+1\.00/);
    expect(said).toContain('who makes synchrony');
  });

  it('averages over several runs, and refuses one that is given twice', async () => {
    const [one, other] = [await runFolder(), await runFolder()];
    expect(JSON.parse(await analyze(one, other, '--json'))).toMatchObject({
      runs: 2,
      associations: [{ cells: 12 }, { cells: 12 }],
    });
    await expect(analyze(one, one)).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('leaves provisional figures out and says so', async () => {
    const said = await analyze(await runFolder({ provisional: true }));
    expect(said).toContain('12 groups are provisional and were left out');
    expect(said).toContain('rule success (both): no figure');
    expect(said).not.toMatch(/Pearson/);
  });

  it('sends whoever has no outcome to entrain evaluate', async () => {
    for (const options of [{ outcomes: false }, { condition: 'monologue' as const }])
      await expect(analyze(await runFolder(options))).rejects.toMatchObject({
        code: 'RUN_INVALID',
        message: expect.stringContaining('run "entrain evaluate" on each first') as string,
      });
  });

  it('reads covariates of models, and names what is wrong with them', async () => {
    const folder = await runFolder();
    const file = join(folder, 'covariates.csv');
    await writeFile(file, 'model,size\nm-a,1\nm-b,3\nm-c,2\nm-d,9\n');
    const { associations } = JSON.parse(await analyze(folder, '--covariates', file, '--json')) as Analysis;
    expect(associations[0]?.partial).toBeDefined();
    const refused = async (text: string, said: string): Promise<void> => {
      await writeFile(file, text);
      await expect(analyze(folder, '--covariates', file)).rejects.toMatchObject({
        code: 'OUTCOMES_INVALID',
        message: expect.stringContaining(said) as string,
      });
    };
    await refused('model,size\nm-a,1\n', 'has no line for model m-b');
    await refused('model,size\nm-a,big\n', 'has "big" for size in line 2');
    await refused('name,size\n', 'has no covariate');
  });
});
