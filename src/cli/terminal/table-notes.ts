/** Notes printed once under the tables of scores, as lines of text. */
import type { ScoreReport } from '../../protocol/reports/score-report.ts';
import { branchNotes } from './branch-table.ts';
import { talkNotes } from './talk-table.ts';

export function tableNotes(report: ScoreReport): string[] {
  return [...paperNote(report), ...talkNotes(report), ...branchNotes(report), standingNote(report)];
}

/** Says what the clip of paper mode hides. The figures come first, since a narrow window cuts the end off. */
function paperNote(report: ScoreReport): string[] {
  const hidden = hiddenFigures(report).toSorted((a, b) => b - a);
  const [least, most] = [hidden.at(0), hidden.at(-1)];
  if (least === undefined || most === undefined) return [];
  const range = [...new Set([least, most].map(belowZero))].join(' to ');
  return [
    `paper: R² below 0 counts as 0, as published; here that hides ${range} (with few turn pairs for the dimensions a penalty of 0.1 fits noise)`,
  ];
}

/** Unclipped figures of paper mode below 0, of the rows that show paper mode. */
function hiddenFigures({ groups, pairs }: ScoreReport): number[] {
  const shown = [...groups.filter(({ strict }) => strict), ...pairs];
  return shown.flatMap(({ paper }) => (paper && paper.unclipped < 0 ? [paper.unclipped] : []));
}

const belowZero = (value: number): string => `−${Math.abs(value).toFixed(2)}`;

/** Whether the table is provisional or final. */
export const standingNote = ({ provisional }: ScoreReport): string =>
  provisional
    ? 'provisional: the run is open, and p and q hold once, at its end'
    : 'final: the run has ended, and all of it is scored';
