/**
 * The demo as it is shipped on five seeds, and what branches add to it: how long the talk takes, how long the first
 * answer to “do they act on one another?”, and the figures of all rungs.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyFigures, figuresView, takeScore } from '../src/viewer/library/figures-state.ts';
import type { GroupView, Interval } from '../src/viewer/view-data.ts';

export const title = 'The demo on five seeds';
export const isLong = true;

const SEEDS = [1, 2, 3, 4, 5];
/** Of the first seed, with three alternatives at this share of the turns. */
const SHARES = [0.1];
const RUN = 'demo';

type Line = Record<string, unknown>;

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const demo = JSON.parse(await readFile('studies/demo.json', 'utf8')) as Line;
  const plain = { ...demo, branches: undefined };
  const table = [
    [
      'seed',
      'branches',
      'talk',
      'first answer of branches',
      'group',
      'excess',
      'p',
      'q',
      'counts',
      'influence',
    ],
  ];
  for (const seed of SEEDS) table.push(...(await play({ ...plain, seed })));
  for (const share of SHARES)
    table.push(...(await play({ ...plain, seed: SEEDS[0], branches: { share, alternatives: 3 } })));
  return { table, notes: NOTES };
}

const NOTES = [
  'Talk: from the first to the last event of the run. First answer: the first time that the sequential test, which may be looked at any time, is at p ≤ 0.05 in `live`. Excess: strict mode, with its 95 % interval; influence likewise.',
];

/** Plays a study whole. @returns a row for each group */
async function play(study: Line): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-bench-demo-'));
  try {
    const file = join(folder, 'study.json');
    await writeFile(file, JSON.stringify(study));
    await start(['--study', file, '--run', RUN, '--runs', folder, '--port', '0', '--once']);
    const events = await linesOf(join(folder, RUN, 'events.jsonl'));
    const scores = await linesOf(join(folder, RUN, 'scores.jsonl'));
    return rowsOf(study, { events, scores });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function start(flags: string[]): Promise<void> {
  const child = spawn(process.execPath, ['bin/entrain.js', 'start', ...flags], { stdio: 'ignore' });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`entrain start ended with ${code}, expected 0`);
}

const linesOf = async (file: string): Promise<Line[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

function rowsOf(study: Line, { events, scores }: { events: Line[]; scores: Line[] }): string[][] {
  const startedAtMs = Number(events[0]?.['atMs']);
  const endedAtMs = Number(events.findLast(({ type }) => type === 'run-finished')?.['atMs']);
  const answer = scores.find(isAnswer);
  const figures = emptyFigures();
  for (const line of scores) takeScore(figures, line);
  const { share } = (study['branches'] as { share?: number } | undefined) ?? {};
  const of = [
    String(study['seed']),
    share === undefined ? '–' : String(share),
    seconds(endedAtMs - startedAtMs),
    answer ? seconds(Number(answer['atMs']) - startedAtMs) : '–',
  ];
  return figuresView(figures).groups.map((group) => [...of, ...figuresOf(group)]);
}

const isAnswer = ({ type, condition, sequential }: Line): boolean =>
  type === 'influence' &&
  condition === 'live' &&
  ((sequential as { p_value: number } | null)?.p_value ?? 1) <= 0.05;

function figuresOf({ condition, sourceRole, adjustment, intervention }: GroupView): string[] {
  return [
    `${condition}, ${sourceRole === 1 ? '1st → 2nd' : '2nd → 1st'}`,
    intervalText(adjustment),
    adjustment?.pValue.toFixed(3) ?? '–',
    adjustment?.qValue?.toFixed(3) ?? '–',
    adjustment ? (adjustment.verdict === 'counts' ? 'yes' : 'no') : '–',
    intervalText(intervention?.influence),
  ];
}

const intervalText = (of: Interval | null | undefined): string =>
  of ? `${of.value.toFixed(3)} [${of.low.toFixed(3)}, ${of.high.toFixed(3)}]` : '–';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(0)} s`;
