/** Tests of the notes that are printed once under the tables of scores. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { tableNotes } from '../../../../src/cli/terminal/table-notes.ts';
import type { GroupReport, PairReport, ScoreReport } from '../../../../src/protocol/reports/score-report.ts';

type Paper = { unclipped: number } | null;

/** A report with these figures of paper mode; `scored` says whether a group has a row of figures. */
function reportOf(groups: Paper[], pairs: Paper[] = [], scored = true): ScoreReport {
  return {
    provisional: false,
    groups: groups.map((paper) => ({ paper, strict: scored ? {} : null }) as GroupReport),
    pairs: pairs.map((paper) => ({ paper }) as PairReport),
  } as ScoreReport;
}

const of = (...values: number[]): Paper[] => values.map((unclipped) => ({ unclipped }));
const DEMO = reportOf(of(-1.0624, -0.8771, -3.6576, -8.6006), of(-0.9697, -6.1291));

it('the notes say whether the table is provisional or final', () => {
  const open = { ...reportOf([]), provisional: true };
  expect(tableNotes(open)).toEqual(['provisional: the run is open, and p and q hold once, at its end']);
  expect(tableNotes(reportOf([]))).toEqual(['final: the run has ended, and all of it is scored']);
});

it('the notes say once, and first, what paper mode cuts off and why', () => {
  const [note, standing, ...others] = tableNotes(DEMO);
  expect(note).toMatch(
    /^paper: R² below 0 counts as 0, as published; here that hides −0\.88 to −8\.60 \(.*noise\)$/,
  );
  expect(standing).toContain('final');
  expect(others).toEqual([]);
});

it('the figures of the notes are within the 80 columns at which a live table is cut', () => {
  const note = tableNotes(reportOf(of(-10.25, -123.75)))[0] ?? '';
  expect(note.slice(0, 78)).toContain('−10.25 to −123.75');
});

it('the notes mention only rows below 0, and nothing if there is none', () => {
  expect(tableNotes(reportOf(of(0.31, -0.4, -2)))[0]).toContain(' −0.40 to −2.00 ');
  expect(tableNotes(reportOf([...of(0.31, -0.4), null]))[0]).toContain('hides −0.40 (');
  expect(tableNotes(reportOf(of(0.2), of(-0.301, -0.304)))[0]).toContain('hides −0.30 (');
  for (const none of [reportOf(of(0.31, 0), of(0.1)), reportOf([null], [null])])
    expect(tableNotes(none)).toHaveLength(1);
});

it('the notes leave out a figure that has no row yet', () => {
  expect(tableNotes(reportOf(of(-3), [], false))).toHaveLength(1);
});

it('the notes are those shown in docs/studies.md under its table', async () => {
  expect(await readFile('docs/studies.md', 'utf8')).toContain(`\n${tableNotes(DEMO).join('\n')}\n`);
});
