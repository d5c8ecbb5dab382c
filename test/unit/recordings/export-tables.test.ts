/** Tables of a run as CSV and parquet, the latter read back by another library than the one that wrote it. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../../src/recordings/main.ts';
import { exportTables } from '../../../src/recordings/tables/export-tables.ts';
import { parseCsv } from '../../../src/tables/csv.ts';
import type { TableFormat } from '../../../src/tables/table-bytes.ts';
import { makeTalkFolder } from '../../fixtures/recordings/talk-folder.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const WORDS = 'She said: "Yes,\nof course" – naïve 😀';
const MODEL = { name: 'm1', sha256: 'a', layers: 4, dims: 8 };
const ABOUT = { run: 'talk', source: MODEL, target: { ...MODEL, name: 'm2' }, agents: 2, distance: 1 };

/** A group is published several times; the last line is the one that counts. */
const SCORES = [
  {
    ...ABOUT,
    type: 'score',
    group: 'a',
    condition: 'live',
    provisional: true,
    strict: null,
    samples: 3,
    reason: 'Too few.',
  },
  {
    ...ABOUT,
    type: 'score',
    group: 'a',
    condition: 'live',
    provisional: false,
    samples: 130,
    strict: {
      score: 0.1,
      excess: 0.2,
      ciLow: 0.1,
      ciHigh: 0.3,
      nullMean: -0.1,
      pValue: 0.01,
      z: 5,
      permutations: 199,
      samples: 120,
    },
    paper: { score: 0, unclipped: -0.5, nullMean: 0, pseudoMean: null, samples: 130 },
  },
  {
    ...ABOUT,
    type: 'score',
    group: 'b',
    condition: 'monologue',
    provisional: false,
    samples: 130,
    strict: { score: 0, excess: 0, pValue: 0.04 },
  },
  {
    type: 'beside',
    run: 'talk',
    group: 'a',
    beside: { text: { excess: 0.05, ciLow: 0.01, ciHigh: 0.1, samples: 120 }, words: null },
  },
  {
    type: 'pair',
    run: 'talk',
    pair: 'p',
    modelA: 'm1',
    modelB: 'm2',
    condition: 'live',
    strict: { excess: 0.15 },
  },
  {
    type: 'difference',
    run: 'talk',
    between: 'pairs',
    modelA: 'm1',
    modelB: 'm2',
    condition: 'live',
    against: 'monologue',
    difference: 0.2,
    pValue: 0.001,
    provisional: false,
  },
  {
    type: 'steps',
    run: 'talk',
    group: 'a',
    episode: 'e1',
    steps: 40,
    figures: { cka: { value: 0.3, size: 0.3, pValue: 0.02 }, xcorr: { value: 0.1, size: 0.1, bestLag: 2 } },
  },
];

async function runFolder(): Promise<string> {
  const folder = await makeTalkFolder({
    scenarios: [{ id: 'lamp', text: 'A lamp.', people: [{}, {}] }],
    episodes: [
      { id: 'e1', scenario: 'lamp', texts: [WORDS, 'Hello', ''] },
      { id: 'e2', scenario: 'lamp', texts: ['Hi'], order: ['ben', 'ada'], open: true },
    ],
    models: { ada: 'm1', ben: 'm2' },
  });
  folders.push(folder, `${folder}-export`);
  const outcome = { type: 'outcome', run: 'talk', episode: 'e1', atMs: 1 };
  const judge = { model: 'j', promptSha256: 'abcdef0123' };
  const outcomes = [
    { ...outcome, agent: 'ada', name: 'success', value: 1, source: 'rule' },
    { ...outcome, agent: 'ben', name: 'social_rules', value: -2.5, source: 'judge', judge },
    { type: 'unscored', run: 'talk', episode: 'e2', atMs: 1, source: 'judge', judge, reason: 'x' },
  ];
  const text = (lines: object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await writeFile(join(folder, 'outcomes.jsonl'), text(outcomes));
  await writeFile(join(folder, 'scores.jsonl'), text(SCORES));
  return folder;
}

type Row = Record<string, unknown>;

async function readTable(folder: string, name: string, format: TableFormat): Promise<Row[]> {
  const bytes = await readFile(join(`${folder}-export`, `${name}.${format}`));
  if (format === 'parquet') {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const rows = (await parquetReadObjects({ file })) as Row[];
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([column, value]) => [
          column,
          typeof value === 'bigint' ? Number(value) : (value ?? undefined),
        ]),
      ),
    );
  }
  const [header, ...lines] = parseCsv(bytes.toString('utf8'), name);
  return lines.map(({ fields }) =>
    Object.fromEntries(
      (header?.fields ?? []).map((column, at) => [
        column,
        fields[at] === '' ? undefined : numeric(fields[at] as string),
      ]),
    ),
  );
}

const numeric = (text: string): unknown =>
  /^(true|false|-?\d+(\.\d+)?)$/.test(text) ? (JSON.parse(text) as unknown) : text;

describe.each(['csv', 'parquet'] as const)('the tables of a run as %s', (format) => {
  const exported = async (): Promise<(name: string) => Promise<Row[]>> => {
    const folder = await runFolder();
    await exportTables(folder, { format, out: `${folder}-export` });
    return (name) => readTable(folder, name, format);
  };

  it('have a row for each turn, with its words as they were', async () => {
    const rows = await (await exported())('turns');
    expect(rows).toHaveLength(4);
    expect(rows[0]).toEqual({
      run: 'talk',
      episode: 'e1',
      condition: 'live',
      scenario: 'lamp',
      pair: 'ada+ben',
      speaking_order: 'ada+ben',
      seed: 7,
      turn: 0,
      agent: 'ada',
      role: 1,
      model: 'm1',
      text: WORDS,
      finish: 'stop',
      tokens: WORDS.split(' ').length,
      dropped_turns: 0,
    });
    expect(rows.map(({ role, agent, pair }) => [role, agent, pair])).toEqual([
      [1, 'ada', 'ada+ben'],
      [2, 'ben', 'ada+ben'],
      [1, 'ada', 'ada+ben'],
      [1, 'ben', 'ada+ben'],
    ]);
  });

  it('have a row for each speaker of an episode, with a column for each kind of outcome', async () => {
    const rows = await (await exported())('episodes');
    expect(
      rows.map((row) => [
        row['episode'],
        row['agent'],
        row['rule_success'],
        row['judge_social_rules'],
        row['finish'],
      ]),
    ).toEqual([
      ['e1', 'ada', 1, undefined, 'turns'],
      ['e1', 'ben', undefined, -2.5, 'turns'],
      ['e2', 'ben', undefined, undefined, undefined],
      ['e2', 'ada', undefined, undefined, undefined],
    ]);
    expect(rows[0]).toMatchObject({
      started_at_ms: 1_700_000_000_000,
      finished_at_ms: 1_700_000_000_900,
      turns: 3,
    });
  });

  it('have each group once, as it was published last, with its q-value among the groups', async () => {
    const rows = await (await exported())('groups');
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({
      condition: 'live',
      source_name: 'm1',
      target_name: 'm2',
      provisional: false,
      strict_excess: 0.2,
      strict_p_value: 0.01,
      strict_q_value: 0.02,
      paper_unclipped: -0.5,
      beside_text_excess: 0.05,
    });
    expect(rows[0]?.['paper_pseudo_mean']).toBeUndefined();
    expect(rows[1]).toMatchObject({ condition: 'monologue', strict_q_value: 0.04 });
  });

  it('have pairs, differences, and steps by dyad and measure', async () => {
    const read = await exported();
    expect(await read('pairs')).toMatchObject([{ model_a: 'm1', model_b: 'm2', strict_excess: 0.15 }]);
    expect(await read('differences')).toMatchObject([
      { between: 'pairs', against: 'monologue', difference: 0.2, p_value: 0.001 },
    ]);
    expect(await read('steps')).toMatchObject([
      { episode: 'e1', measure: 'cka', steps: 40, value: 0.3, p_value: 0.02 },
      { episode: 'e1', measure: 'xcorr', best_lag: 2 },
    ]);
  });
});

describe('entrain export', () => {
  it('writes tables of a run whose recording and scores are not there, into RUN-export', async () => {
    const folder = await runFolder();
    await rm(join(folder, 'scores.jsonl'));
    let said = '';
    const spy = vi
      .spyOn(process.stdout, 'write')
      .mockImplementation((text) => ((said += String(text)), true));
    expect(await run(['export', folder, '--format', 'parquet']).finally(() => spy.mockRestore())).toBe(0);
    expect((await readdir(`${folder}-export`)).toSorted()).toEqual(
      ['differences', 'episodes', 'groups', 'pairs', 'steps', 'turns'].map((name) => `${name}.parquet`),
    );
    expect(said).toContain('4 rows');
    expect(await readTable(folder, 'groups', 'parquet')).toEqual([]);
  });

  it('refuses a format that there is not, before it looks for the run', async () => {
    await expect(run(['export', 'nothing', '--format', 'xlsx'])).rejects.toMatchObject({
      code: 'USAGE',
      message: '--format is "xlsx": expected npy, safetensors, csv, parquet or sotopia.',
    });
  });

  it('names two judges in the columns of their outcomes', async () => {
    const folder = await runFolder();
    const line = {
      type: 'outcome',
      run: 'talk',
      episode: 'e1',
      agent: 'ada',
      name: 'goal',
      value: 4,
      source: 'judge',
      atMs: 1,
    };
    const lines = ['j-1', 'j-2'].map((model) => ({ ...line, judge: { model, promptSha256: 'abcdef0123' } }));
    await writeFile(join(folder, 'outcomes.jsonl'), lines.map((one) => `${JSON.stringify(one)}\n`).join(''));
    await exportTables(folder, { format: 'csv', out: `${folder}-export` });
    const [row] = await readTable(folder, 'episodes', 'csv');
    expect(row).toMatchObject({ judge_j_1_abcdef01_goal: 4, judge_j_2_abcdef01_goal: 4 });
  });
});
