/** What `entrain start` leaves on the screen: a table for each rung, and the sentence that they allow. */
import type { ScoreReport } from '../../protocol/reports/score-report.ts';
import type { Verdict } from '../../protocol/verdict.ts';
import { branchTable, patchTable } from './branch-table.ts';
import { differenceTable, distanceTable } from './contrast-tables.ts';
import { matrixTables, pairTable, scoreTable } from './score-table.ts';
import { stepTable } from './step-table.ts';
import { tableNotes } from './table-notes.ts';
import { talkTable } from './talk-table.ts';
import { verdictLines } from './verdict-lines.ts';

export interface FinalOptions {
  /** Columns; unlimited where the output is no terminal. */
  width: number;
  /** Shows every null and estimate too. */
  isVerbose: boolean;
  verdict: Verdict;
}

export function finalTables(report: ScoreReport, { width, isVerbose, verdict }: FinalOptions): string[] {
  const beside = isVerbose
    ? [distanceTable(report), stepTable(report), talkTable(report)]
    : [stepTable(report)];
  const tables = [
    branchTable(report, isVerbose),
    patchTable(report),
    [...scoreTable(report, { width, isVerbose }), ...matrixTables(report)],
    differenceTable(report),
    pairTable(report),
    ...beside,
  ];
  const parts = [...tables, tableNotes(report), verdictLines(verdict, width)].filter(
    (part) => part.length > 0,
  );
  return parts.flatMap((lines, at) => (at === 0 ? lines : ['', ...lines]));
}
