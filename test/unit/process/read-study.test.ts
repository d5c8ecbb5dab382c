import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStudy } from '../../../src/process/read-study.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'entrain-study-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const scenario = (id: string, more: object = {}) => ({ id, text: id, people: [{}, {}], ...more });
const good = { name: 't', pairs: [['ada', 'ben']], scenarios: [scenario('x'), scenario('y')] };

async function read(change: object) {
  const file = join(folder, 'study.json');
  await writeFile(file, JSON.stringify({ ...good, ...change }));
  return readStudy(file);
}

describe('readStudy', () => {
  it('takes groups of any size up to the people of each scenario, and every condition with what it needs', async () => {
    const three = [scenario('x', { people: [{}, {}, {}] })];
    expect((await read({ pairs: [['a', 'b', 'c']], scenarios: three })).pairs).toEqual([['a', 'b', 'c']]);
    const conditions = ['live', 'reader', 'monologue', 'shared-input', 'random', 'dose:0.5'];
    const scenarios = [scenario('x', { script: ['It rains.'], reader: { persona: 'I read.' } })];
    expect((await read({ conditions, reader: 'cas', scenarios })).conditions).toEqual(conditions);
  });

  it.each<[string, object, RegExp]>([
    ['an agent twice in a group', { pairs: [['ada', 'ada']] }, /pairs agent "ada" with itself/],
    ['a scenario twice', { scenarios: [scenario('x'), scenario('x')] }, /"x" twice in scenarios/],
    ['too few people', { pairs: [['a', 'b', 'c']] }, /2 people in scenario "x"/],
    ['no script to share', { conditions: ['shared-input'] }, /no script in scenario "x"/],
    ['no reader', { conditions: ['reader'] }, /no reader: expected the id/],
    ['a reader who talks', { conditions: ['reader'], reader: 'ben' }, /"ben" read along with itself/],
    [
      'a reader without a persona of its own',
      { conditions: ['reader'], reader: 'cas', scenarios: [scenario('x')] },
      /field "reader", another persona/,
    ],
    [
      'a reader among three',
      {
        conditions: ['reader'],
        reader: 'dan',
        pairs: [['a', 'b', 'c']],
        scenarios: [scenario('x', { people: [{}, {}, {}] }), scenario('y', { people: [{}, {}, {}] })],
      },
      /more than two speakers/,
    ],
    ['a condition that there is not', { conditions: ['loud'] }, /"dose:0.5" \(any share/],
  ])('refuses %s in one sentence', async (_, change, sentence) => {
    await expect(read(change)).rejects.toMatchObject({
      code: 'STUDY_INVALID',
      message: expect.stringMatching(sentence),
    });
  });
});
