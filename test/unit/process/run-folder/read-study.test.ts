import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingLayer } from '../../../../src/protocol/study.ts';
import { readStudy } from '../../../../src/process/run-folder/read-study.ts';

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

describe('a study file', () => {
  const readBytes = async (bytes: Uint8Array) => {
    const file = join(folder, 'bytes.json');
    await writeFile(file, bytes);
    return readStudy(file);
  };
  const text = JSON.stringify({ ...good, scenarios: [scenario('x', { text: 'Un café.' })] }, null, 1);

  it('may begin with a byte order mark, and may be UTF-16 if it does', async () => {
    for (const bytes of [Buffer.from(`\uFEFF${text}`), Buffer.from(`\uFEFF${text}`, 'utf16le')])
      expect((await readBytes(bytes)).scenarios[0]?.text).toBe('Un café.');
  });

  it('is refused in Latin-1, with the place of the first byte that is not UTF-8', async () => {
    await expect(readBytes(Buffer.from(text, 'latin1'))).rejects.toMatchObject({
      code: 'STUDY_INVALID',
      message: expect.stringMatching(/bytes\.json is not UTF-8 at line 12, column 19 \(byte 0xe9; Latin-1/),
    });
  });

  it('is refused with line and column if it is not JSON', async () => {
    await expect(readBytes(Buffer.from('{"name": "t",\n "pairs": [["a", "b"],]\n}'))).rejects.toMatchObject({
      code: 'STUDY_INVALID',
      message: expect.stringMatching(
        /is not JSON at line 2, column 23: found "\]" where JSON cannot go on\.$/,
      ),
    });
  });
});

describe('readStudy', () => {
  it('accepts groups of any size up to the people of each scenario, and every condition that has what it needs', async () => {
    const three = [scenario('x', { people: [{}, {}, {}] })];
    expect((await read({ pairs: [['a', 'b', 'c']], scenarios: three })).pairs).toEqual([['a', 'b', 'c']]);
    const conditions = ['live', 'reader', 'monologue', 'shared-input', 'random', 'dose:0.5'];
    const scenarios = [scenario('x', { script: ['It rains.'], reader: { persona: 'I read.' } })];
    expect((await read({ conditions, reader: 'cas', scenarios })).conditions).toEqual(conditions);
  });

  it('takes a script for each episode in the place of one for all', async () => {
    const scripts = [['It rains.'], ['It snows.', 'It has stopped.']];
    const study = { conditions: ['shared-input'], episodes: 2, scenarios: [scenario('x', { scripts })] };
    expect((await read(study)).scenarios[0]).toMatchObject({ script: [], scripts });
  });

  it('takes the same talk with the states of a third person beside live', async () => {
    const conditions = ['live', 'paper-reader', 'dose:0.5'];
    expect((await read({ conditions })).conditions).toEqual(conditions);
  });

  it('takes branches, a quarter of the turns with three alternatives unless it says otherwise', async () => {
    expect((await read({})).branches).toBeNull();
    expect((await read({ branches: {} })).branches).toEqual({ share: 0.25, alternatives: 3 });
    const branches = { share: 1, alternatives: 64 };
    expect((await read({ branches })).branches).toEqual(branches);
    const patched = await read({ episodes: 2, branches: { patch: { layers: [4] } } });
    expect(patched.branches?.patch).toEqual({ layers: [4], kind: 'perturbation' });
  });

  it.each<[string, object, RegExp]>([
    ['an agent twice in a group', { pairs: [['ada', 'ada']] }, /pairs agent "ada" with itself/],
    ['a scenario twice', { scenarios: [scenario('x'), scenario('x')] }, /"x" twice in scenarios/],
    ['too few people', { pairs: [['a', 'b', 'c']] }, /2 people in scenario "x"/],
    ['no script to share', { conditions: ['shared-input'] }, /no script in scenario "x"/],
    [
      'a script and scripts',
      { scenarios: [scenario('x', { script: ['It rains.'], scripts: [['It snows.']] })] },
      /has script and scripts in scenario "x": expected one of them/,
    ],
    [
      'fewer scripts than episodes',
      {
        episodes: 3,
        conditions: ['shared-input'],
        scenarios: [scenario('x', { scripts: [['It rains.'], ['It snows.']] })],
      },
      /has 2 scripts in scenario "x": expected one for each of its 3 episodes/,
    ],
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
    [
      'a condition twice',
      { conditions: ['live', 'live'] },
      /"live" and "live" in conditions, which give the same/,
    ],
    [
      'one dose in two spellings',
      { conditions: ['dose:0.5', 'live', 'dose:0.50'] },
      /"dose:0.5" and "dose:0.50" in conditions/,
    ],
    [
      'the same third person twice',
      { conditions: ['paper-reader', 'live', 'paper-reader'] },
      /"paper-reader" and "paper-reader" in conditions, which give the same/,
    ],
    [
      'controls of one episode',
      { steps: { control: true }, episodes: 1 },
      /steps.control and 1 episode: expected at least 2/,
    ],
    ['a dose of all beside live', { conditions: ['live', 'dose:1'] }, /"live" and "dose:1" in conditions/],
    [
      'a dose of nothing beside monologue',
      { conditions: ['dose:0.00', 'monologue'] },
      /"dose:0.00" and "mono/,
    ],
    [
      'covariates of nobody',
      { models: { ada: 'm' }, covariates: { ada: { size: 1 }, bob: { size: 2 } } },
      /covariates of "bob", which has no model/,
    ],
    [
      'other covariates of another model',
      { models: { ada: 'm', ben: 'n' }, covariates: { ada: { size: 1 }, ben: { loss: 2 } } },
      /other covariates of "ben" than of "ada": expected "size" of each/,
    ],
    [
      'a group twice',
      {
        pairs: [
          ['a', 'b'],
          ['b', 'a'],
          ['a', 'b'],
        ],
      },
      /the group a, b twice in pairs/,
    ],
    ['a layer of steps twice', { steps: { layers: [1, 4, 1] } }, /layer 1 twice in steps.layers/],
    [
      'branches of words that are never drawn',
      { branches: {}, sampling: { temperature: 0 } },
      /temperature 0 in sampling, at which every alternative has the same words: expected a temperature above 0/,
    ],
    ['a share of turns above all', { branches: { share: 1.5 } }, /at branches.share/],
    ['no alternative at all', { branches: { alternatives: 0 } }, /at branches.alternatives/],
    ['a patch of no layer', { branches: { patch: {} } }, /at branches.patch.layers/],
    [
      'a patch of what enters the first block',
      { branches: { patch: { layers: [0] } } },
      /at branches.patch.layers/,
    ],
    [
      'a patch without components',
      { branches: { patch: { layers: [1] } } },
      /1 episodes: expected at least 2/,
    ],
    [
      'a patch with nothing to compare',
      { episodes: 2, branches: { alternatives: 1, patch: { layers: [1] } } },
      /1 in branches.alternatives: expected at least 2/,
    ],
    [
      'a layer that is patched twice',
      { episodes: 2, branches: { patch: { layers: [1, 1] } } },
      /layer twice in branches.patch/,
    ],
    [
      'a size twice',
      { episodes: 2, branches: { patch: { layers: [1], sizes: [1, 1] } } },
      /size twice in branches.patch/,
    ],
    [
      'a size of 0',
      { episodes: 2, branches: { patch: { layers: [1], sizes: [0] } } },
      /at branches.patch.sizes/,
    ],
    [
      'more versions of a turn than there may be',
      { episodes: 2, branches: { alternatives: 11, patch: { layers: [1, 2], sizes: [1, 2, 3] } } },
      /has 77 versions of a turn in branches: expected at most 64/,
    ],
    [
      'an interchange with too few donors',
      { episodes: 5, branches: { patch: { layers: [1], kind: 'interchange' } } },
      /interchange and 5 episodes: expected at least 6/,
    ],
    [
      'an interchange of a size',
      { episodes: 6, branches: { patch: { layers: [1], kind: 'interchange', sizes: [1] } } },
      /sizes in a branches.patch of the kind interchange: expected none/,
    ],
    [
      'an interchange with more versions of a turn than there may be',
      { episodes: 64, branches: { alternatives: 1, patch: { layers: [1, 2], kind: 'interchange' } } },
      /has 65 versions of a turn in branches: expected at most 64/,
    ],
    [
      'an unknown kind of patch',
      { branches: { patch: { layers: [1], kind: 'noise' } } },
      /at branches.patch.kind/,
    ],
    ['an unknown field of branches', { branches: { turns: 3 } }, /at branches: .*turns/],
    ['a condition that there is not', { conditions: ['loud'] }, /"dose:0.5" \(any share/],
  ])('refuses %s in one sentence', async (_, change, sentence) => {
    await expect(read(change)).rejects.toMatchObject({
      code: 'STUDY_INVALID',
      message: expect.stringMatching(sentence),
    });
  });
});

describe('missingLayer', () => {
  const models = new Map([
    ['ada', { name: 'small', layers: 6 }],
    ['ben', { name: 'large', layers: 12 }],
  ]);
  const steps = (layers: number[] | null) => ({ steps: { layers, every: 1 }, branches: null });

  it('names the layer that a model does not have', () => {
    expect(missingLayer(steps([0, 6]), models)).toBeUndefined();
    expect(missingLayer(steps(null), models)).toBeUndefined();
    expect(missingLayer({ steps: null, branches: null }, models)).toBeUndefined();
    expect(missingLayer(steps([4, 7]), models)).toBe(
      'has layer 7 in steps.layers, but small, the model of ada, has layers 0 to 6',
    );
    expect(missingLayer(steps([99]), models)).toContain('layer 99');
    const patch = { kind: 'perturbation' as const, layers: [6, 7], sizes: [1] };
    expect(missingLayer({ steps: null, branches: { share: 1, alternatives: 2, patch } }, models)).toBe(
      'has layer 7 in branches.patch.layers, but small, the model of ada, has layers 0 to 6',
    );
  });
});
