/** Studies that name models and their pairings: which agents play, and what is refused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStudy } from '../../../../src/process/run-folder/read-study.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-pairings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const scenarios = [{ id: 'x', text: 'x', people: [{}, {}] }];
const MODELS = { small: 'models/s', large: 'models/l' };

async function read(study: object) {
  const file = join(folder, 'study.json');
  await writeFile(file, JSON.stringify({ name: 't', scenarios, ...study }));
  return readStudy(file);
}

describe('pairings', () => {
  it('all-ordered: every ordered pair of models, each with itself as well, shuffled', async () => {
    expect(await read({ models: MODELS, pairings: 'all-ordered' })).toMatchObject({
      order: 'shuffled',
      pairs: [
        ['small', 'small-2'],
        ['small', 'large'],
        ['large', 'small'],
        ['large', 'large-2'],
      ],
      models: { small: 'models/s', 'small-2': 'models/s', large: 'models/l', 'large-2': 'models/l' },
    });
  });

  it('self: each model with itself', async () => {
    const { pairs } = await read({ models: MODELS, pairings: 'self' });
    expect(pairs).toEqual([
      ['small', 'small-2'],
      ['large', 'large-2'],
    ]);
  });

  it('a list: each pair in both speaking orders, and only the agents that play', async () => {
    const study = await read({
      models: { ...MODELS, third: 'models/t' },
      pairings: [
        ['small', 'large'],
        ['large', 'large'],
      ],
      order: 'listed',
    });
    expect(study.order).toBe('listed');
    expect(study.pairs).toEqual([
      ['small', 'large'],
      ['large', 'small'],
      ['large', 'large-2'],
    ]);
    expect(Object.keys(study.models)).toEqual(['small', 'large', 'large-2']);
  });

  it.each<[string, object, RegExp]>([
    [
      'a pair of a model that there is not',
      { pairings: [['small', 'huge']] },
      /pairs "huge".*"small", "large"/,
    ],
    [
      'a pair twice',
      {
        pairings: [
          ['small', 'large'],
          ['large', 'small'],
        ],
      },
      /large and small twice/,
    ],
    ['a word that is none of the three', { pairings: 'all' }, /pairings: expected "all-ordered", "self"/],
    ['an empty list', { pairings: [] }, /not valid at pairings/],
    ['no models', { models: {}, pairings: 'self' }, /at least one model/],
    ['models left out', { models: undefined, pairings: 'self' }, /has pairings and no models/],
    ['pairs as well', { pairings: 'self', pairs: [['a', 'b']] }, /has pairs and pairings/],
    ['a reader', { pairings: 'self', reader: 'small' }, /has pairings and a reader/],
    ['a folder without a name', { models: { small: '' }, pairings: 'self' }, /not valid at models.small/],
    ['two agents of one name', { models: { a: 'x', 'a-2': 'y' }, pairings: 'self' }, /a model "a-2"/],
    ['a model of nobody', { pairs: [['a', 'b']], models: { c: 'x' } }, /has a model for "c".*one of a, b/],
  ])('refuse %s in one sentence', async (_what, change, said) => {
    const error = await read({ models: MODELS, ...change }).catch((fault: unknown) => fault as Error);
    expect(error).toMatchObject({ code: 'STUDY_INVALID' });
    expect((error as Error).message).toMatch(said);
    expect((error as Error).message).not.toContain('\n');
  });

  it('may be left out: models then says the folder of each agent', async () => {
    const study = await read({ pairs: [['a', 'b']], models: { a: 'models/s' } });
    expect([study.order, study.models]).toEqual(['listed', { a: 'models/s' }]);
  });
});
