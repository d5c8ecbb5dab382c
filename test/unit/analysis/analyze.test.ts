/** `entrain analyze`: synchrony beside outcomes over pairs of models, from planted tables and from run folders. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { analyzeTables, type Analysis } from '../../../src/analysis/analyze-tables.ts';
import { run } from '../../../src/analysis/main.ts';
import type { Condition } from '../../../src/protocol/study.ts';
import { plantedModels as planted } from '../../fixtures/planted/planted-models.ts';
import { makeTalkFolder } from '../../fixtures/recordings/talk-folder.ts';

const OPTIONS = { covariates: new Map(), draws: 199, seed: 1 };

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
    const episodes = orders.flatMap((order, at) =>
      order.includes(source) && order.includes(target) ? [at] : [],
    );
    return [
      { ...line, provisional: true, strict: { excess: -99 } },
      {
        ...line,
        provisional,
        strict: { excess: SKILL[target] / 10 + SKILL[source] / 1000 },
        paper: { unclipped: -SKILL[source], textOnly: SKILL[source] },
      },
      { ...line, type: 'influence', provisional, influence: { value: SKILL[target] / 20 }, matched: null },
      {
        type: 'beside',
        group: line.group,
        provisional,
        beside: { text: { excess: 0.01 * SKILL[source] } },
        layerMap: { turns: Object.fromEntries(episodes.map((at) => [`e${at}`, { 0: 0.1, 2: 0.2 * at }])) },
      },
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
    const {
      models,
      associations: all,
      relations,
    } = JSON.parse(await analyze(await runFolder(), '--json')) as Analysis;
    const associations = all.filter(({ figure }) => figure === 'excess');
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
    const [first] = relations;
    if (!first || 'reason' in first) throw new Error(first?.reason);
    expect(first.variance.partner).toBeGreaterThan(50 * first.variance.actor);
  });

  it('holds influence, secondary figures and figures of the words beside the same outcomes', async () => {
    const { associations, missing, within } = JSON.parse(
      await analyze(await runFolder(), '--json'),
    ) as Analysis;
    const of = (figure: string) =>
      associations.find((one) => one.figure === figure && one.of === 'predicted');
    expect(of('influence')).toMatchObject({ isRival: false, cells: 12 });
    expect(of('influence')?.pearson).toBeGreaterThan(0.99);
    expect(of('excess beyond text')?.pearson).toBeCloseTo(-1 / 3, 10);
    expect(of('SyncR² as published')?.pearson).toBeCloseTo(1 / 3, 10);
    expect(of('text-only SyncR²')).toMatchObject({ isRival: true });
    // Of each scenario and pair there is one episode, so no reply has others to be compared with.
    expect(new Set(associations.map(({ figure }) => figure))).not.toContain('word overlap');
    expect(missing).toEqual([]);
    expect(within).toMatchObject([{ outcome: 'rule success', episodes: 12, scenarios: 1 }]);
  });

  it('says how many models there are and what their number allows', async () => {
    const said = await analyze(await runFolder());
    expect(said).toContain('4 models in 1 run, condition live');
    expect(said).toContain('with 4 models no p can be below 1/24');
    expect(said).toMatch(/excess +rule success +predicted +4 +12 +\+1\.00/);
    expect(said).toContain('who makes influence (variances');
  });

  it('averages over several runs, and refuses one that is given twice', async () => {
    const [one, other] = [await runFolder(), await runFolder()];
    const { runs, associations } = JSON.parse(await analyze(one, other, '--json')) as Analysis & {
      runs: number;
    };
    expect(runs).toBe(2);
    expect(new Set(associations.map(({ cells }) => cells))).toEqual(new Set([12]));
    await expect(analyze(one, one)).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('leaves provisional figures out and says so', async () => {
    const said = await analyze(await runFolder({ provisional: true }));
    expect(said).toContain('12 groups are provisional and were left out');
    expect(said).toMatch(/rule success \(both\); .*: no figure/);
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
    await writeFile(file, 'model,size,family\nm-a,1,old\nm-b,3,old\nm-c,2,old\nm-d,9,new\n');
    const { associations } = JSON.parse(await analyze(folder, '--covariates', file, '--json')) as Analysis;
    expect(associations[0]?.partial).toBeDefined();
    expect(associations.some(({ family, models }) => family === 'old' && models === 3)).toBe(true);
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
