/** Whole studies as a user starts them: the time of their talk, one episode at a time and several at once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { playStudy, type PlayedStudy, writeStudy } from './talk/play-study.ts';

export const title = 'The talk of whole studies';
export const isLong = true;

interface Row {
  study: string;
  /** What both runs are compared by. */
  change: string;
  before: PlayedStudy;
  after: PlayedStudy;
  bar: string;
}

/** @param scenarios of each study; all if undefined */
export async function run(scenarios?: number): Promise<{ table: string[][]; notes: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-bench-talk-'));
  try {
    const demo = await writeStudy(folder, { name: 'demo', scenarios, branches: false });
    const controls = await writeStudy(folder, { name: 'controls', scenarios });
    const branches = await writeStudy(folder, { name: 'branches', scenarios });
    const straight = await writeStudy(folder, { name: 'branches', scenarios, branches: false });
    const one = ['--at-once', '1'];
    const rows: Row[] = [];
    for (const [name, study] of [
      ['demo', demo],
      ['controls', controls],
    ] as const) {
      const before = await playStudy(folder, study, one);
      const after = await playStudy(folder, study);
      rows.push({
        study: name,
        change: 'one at a time, then as many as by default',
        before,
        after,
        bar: '≤ 0.5',
      });
    }
    const before = await playStudy(folder, straight);
    const after = await playStudy(folder, branches);
    const change = 'without branches, then three alternatives at a quarter of the turns';
    rows.push({ study: 'branches', change, before, after, bar: '≤ 1.9' });
    return { table: [HEAD, ...rows.map(toCells)], notes: NOTES };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const HEAD = [
  'study',
  'change',
  'episodes',
  'talk before',
  'after',
  'ratio',
  'bar',
  'turns with other words',
  'first score before',
  'after',
];

function toCells({ study, change, before, after, bar }: Row): string[] {
  const seconds = (value: number | undefined): string =>
    value === undefined ? '–' : `${value.toFixed(0)} s`;
  return [
    study,
    change,
    String(after.episodes),
    seconds(before.talkSeconds),
    seconds(after.talkSeconds),
    (after.talkSeconds / before.talkSeconds).toFixed(2),
    bar,
    differentWords(before, after),
    seconds(before.firstScoreSeconds),
    seconds(after.firstScoreSeconds),
  ];
}

function differentWords(before: PlayedStudy, after: PlayedStudy): string {
  const turns = [...new Set([...before.words.keys(), ...after.words.keys()])];
  const different = turns.filter((turn) => before.words.get(turn) !== after.words.get(turn));
  return `${different.length} of ${turns.length}`;
}

const NOTES = [
  'Wall time of `entrain start --once` with all its programs: from the start of the first episode to the end of the last, and to the first score line. The demo without its branches.',
];
