/** Tables of a run as CSV and parquet, the latter read back by another library than the one that wrote it. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../../src/recordings/main.ts';
import { exportTables } from '../../../src/recordings/tables/export-tables.ts';
import { parseCsv } from '../../../src/tables/csv.ts';
import type { TableFormat } from '../../../src/tables/table-bytes.ts';
import { TABLE_SCORES } from '../../fixtures/recordings/table-scores.ts';
import { makeTalkFolder } from '../../fixtures/recordings/talk-folder.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const WORDS = 'She said: "Yes,\nof course" – naïve 😀';
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
  await writeFile(join(folder, 'scores.jsonl'), text(TABLE_SCORES));
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
      source_model: 'm1',
      target_model: 'm2',
      provisional: false,
      strict_excess: 0.2,
      strict_p_value: 0.01,
      strict_q_value: 0.02,
      paper_unclipped: -0.5,
      beside_text_excess: 0.05,
      histories: 30,
      influence_value: 0.5,
      influence_ci_low: 0.4,
      influence_ci_high: 0.6,
      matched_score: 0.3,
      matched_p_value: 0.01,
    });
    expect(rows[0]?.['paper_pseudo_mean']).toBeUndefined();
    const [step] = await (await exported())('steps');
    expect([rows[0]?.['group'], typeof step?.['scenario']]).toEqual([step?.['group'], 'string']);
    expect(rows[1]).toMatchObject({ condition: 'monologue', strict_q_value: 0.04 });
  });

  it('have a row for each pair of layers of each group, beside its null', async () => {
    const rows = await (await exported())('layers');
    expect(
      rows.map((row) => [row['source_layer'], row['target_layer'], row['r2'], row['null_mean']]),
    ).toEqual([
      [1, 1, 0.1, -0.1],
      [1, 2, 0.2, -0.2],
      [2, 1, 0.3, -0.3],
      [2, 2, 0.4, -0.4],
    ]);
    expect(rows[0]).toMatchObject({ condition: 'live', source_model: 'm1', target_model: 'm2' });
  });

  it('have what each episode adds to the R² of its groups, by the place of its speakers', async () => {
    const rows = await (await exported())('episodes');
    expect(
      rows.map(({ episode, role, r2_as_source: source, r2_as_target: target }) => [
        episode,
        role,
        source,
        target,
      ]),
    ).toEqual([
      ['e1', 1, expect.closeTo(0.3, 10), undefined],
      ['e1', 2, undefined, expect.closeTo(0.3, 10)],
      ['e2', 1, 0.2, undefined],
      ['e2', 2, undefined, 0.2],
    ]);
  });

  it('have pairs, differences, and steps by dyad and measure', async () => {
    const read = await exported();
    expect(await read('pairs')).toMatchObject([{ model_a: 'm1', model_b: 'm2', strict_excess: 0.15 }]);
    expect(await read('differences')).toMatchObject([
      { between: 'pairs', against: 'monologue', difference: 0.2, p_value: 0.001 },
    ]);
    expect(await read('steps')).toMatchObject([
      { episode: 'e1', measure: 'cka', steps: 40, value: 0.3, own_steps: 0.3, same_words: 0.25 },
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
      ['differences', 'episodes', 'groups', 'layers', 'pairs', 'steps', 'turns'].map(
        (name) => `${name}.parquet`,
      ),
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
