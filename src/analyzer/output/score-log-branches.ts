/**
 * The figures of branches as lines of `scores.jsonl`. A line lists the histories that the line of its group before does
 * not have: `rows` follow the first `after` of that line.
 */
import { branchAnswer } from '../branches/branch-answer.ts';
import { distanceOf } from '../ingest/episode-index.ts';
import type { BranchScore } from '../scoring/messages.ts';

/** What a line says of its histories. */
export interface BranchRows {
  after: number;
  rows: string[];
}

export interface BranchLines {
  /** The line of a score, without its stamp. */
  line(score: BranchScore): object;
}

export function createBranchLines(): BranchLines {
  const known = new Map<string, string[]>();
  return {
    line: ({ run, version, seed, method, group: { key, ...names }, branches, moves, rows, computedMs }) => {
      const before = known.get(key) ?? [];
      known.set(key, rows);
      return {
        type: 'influence',
        run,
        version,
        seed,
        method,
        computedMs,
        group: key,
        ...names,
        distance: distanceOf(names),
        ...branchAnswer(branches),
        moves,
        ...rowsAfter(before, rows),
      };
    },
  };
}

function rowsAfter(before: readonly string[], rows: readonly string[]): BranchRows {
  let after = 0;
  while (after < before.length && after < rows.length && before[after] === rows[after]) after += 1;
  return { after, rows: rows.slice(after) };
}

/** All histories of a line, from those of the line before. */
export const rowsOfBranchLine = ({ after, rows }: BranchRows, before: readonly string[]): string[] => [
  ...before.slice(0, after),
  ...rows,
];
