/** Static CKA between models that read the same texts, and its place among the rivals of `entrain analyze`. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../../src/analysis/main.ts';
import { commonTexts, readTexts, staticTable, type ReadTexts } from '../../../src/analysis/static-cka.ts';
import { makeTalkFolder } from '../../fixtures/recordings/talk-folder.ts';

const SMALL = 'models/entrain-dialogue-300k';
const LARGER = 'models/entrain-dialogue-850k';
const NAMES = ['Anna', 'Tom', 'Lucy', 'Ben', 'Maria', 'Kevin'];
const PLACES = ['park', 'library', 'market', 'station'];
const TEXTS = NAMES.flatMap((name) => PLACES.map((place) => `I will meet ${name} at the ${place}.`));

/** Rows in reverse, so that each text meets another one. */
const reversed = ({ sha256, states }: ReadTexts): ReadTexts => {
  const { rows, cols, data } = states;
  const out = new Float64Array(data.length);
  for (let row = 0; row < rows; row++)
    out.set(data.subarray(row * cols, (row + 1) * cols), (rows - 1 - row) * cols);
  return { sha256, states: { rows, cols, data: out } };
};

describe('static CKA', () => {
  it('is 1 of a model with itself, the same both ways, and needs the texts to be the same', async () => {
    const small = await readTexts(SMALL, TEXTS);
    const larger = await readTexts(LARGER, TEXTS);
    const hashes = [small.sha256, 'of a model not given', larger.sha256];
    const [first, second, third] = await staticTable([larger, small], hashes);
    expect(first?.[0]).toBeCloseTo(1, 9);
    expect(third?.[2]).toBeCloseTo(1, 9);
    expect(third?.[0]).toBeCloseTo(first?.[2] as number, 12);
    expect(first?.[2]).toBeGreaterThan(0.2);
    expect(first?.[2]).toBeLessThan(0.999);
    expect(second).toEqual([undefined, undefined, undefined]);
    const [apart] = await staticTable([small, reversed(larger)], hashes);
    expect(apart?.[2]).toBeLessThan((first?.[2] as number) - 0.1);
  });

  it('reads a text as if nothing had been said before', async () => {
    const [all, one] = [await readTexts(SMALL, TEXTS.slice(0, 3)), await readTexts(SMALL, TEXTS.slice(2, 3))];
    expect(all.states.data.slice(-all.states.cols)).toEqual(one.states.data);
  });

  it('refuses a model that is in none of the runs', async () => {
    const small = await readTexts(SMALL, TEXTS.slice(0, 4));
    await expect(staticTable([small], ['b'.repeat(64)])).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/The 1\. --model is in none of the runs: expected folders/) as string,
    });
  });

  it('takes different utterances, spread evenly, the same for the same runs in any order', () => {
    const turns = Array.from({ length: 300 }, (_, at) => ({ text: at % 3 === 0 ? ' ' : `text ${at}` }));
    const talk = { episodes: [{ turns }] } as never;
    const texts = commonTexts([talk, talk]);
    expect(texts).toHaveLength(120);
    expect(new Set(texts).size).toBe(120);
    expect(texts).not.toContain(' ');
    const back = { episodes: [{ turns: turns.toReversed() }] } as never;
    expect(commonTexts([back])).toEqual(texts);
  });
});

describe('entrain analyze --model', () => {
  let folder: string;
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true });
  });

  it('puts static CKA in brackets beside the other rivals', async () => {
    const agents = ['ada', 'ben', 'cy'];
    const orders = agents.flatMap((first) => agents.map((second) => [first, second]));
    const pairs = orders.filter(([first, second]) => first !== second);
    folder = await makeTalkFolder({
      scenarios: [{ id: 's', text: '', people: [{}, {}] }],
      episodes: pairs.map((order, at) => ({
        id: `e${at}`,
        scenario: 's',
        texts: TEXTS.slice(2 * at, 2 * at + 2),
        order,
      })),
      models: { ada: 'small', ben: 'larger', cy: 'other' },
    });
    const models = [SMALL, LARGER, 'models/entrain-dialogue-4m'];
    const facts = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as {
      agents: Record<string, { sha256: string }>;
    };
    for (const [at, agent] of agents.entries())
      Object.assign(facts.agents[agent] as object, {
        sha256: (await readTexts(models[at] as string, ['Hi.'])).sha256,
      });
    await writeFile(join(folder, 'run.json'), JSON.stringify(facts));
    await writeFile(join(folder, 'scores.jsonl'), '');
    const about = { type: 'outcome', run: 'talk', source: 'rule', name: 'success', atMs: 0 };
    const lines = pairs.flatMap((order, at) =>
      order.map((agent) => JSON.stringify({ ...about, episode: `e${at}`, agent, value: at / 10 })),
    );
    await writeFile(join(folder, 'outcomes.jsonl'), `${lines.join('\n')}\n`);
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(await run([folder, ...models.flatMap((model) => ['--model', model])])).toBe(0);
    const text = write.mock.calls.map(([part]) => String(part)).join('');
    expect(text).toMatch(/\(static CKA\)\s+rule success\s+both\s+3\s+6 /);
  });
});
