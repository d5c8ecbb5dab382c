/**
 * Lists the rows of scores in the lines of `scores.jsonl` without repetition: each row is in the first line that has
 * it.
 *
 *   full score       rows since the last full score of the group, and those that are gone from it
 *   secondary        rows since the last full score: none, where both are of one version
 *
 * `since` is the version of the line that a line adds to; a line without it lists all of its rows.
 */
import type { RowIds } from '../ingest/group-rows.ts';
import type { BesideScore, GroupScore } from '../scoring/messages.ts';

/** The fields of a line that describe its rows. */
export interface RowLine {
  rows: RowIds;
  /** Rows of the line `since` that this one does not have. */
  gone?: RowIds;
  since?: number;
}

interface Known {
  version: number;
  rows: RowIds;
}

export interface RowLines {
  full(group: string, score: Pick<GroupScore, 'version' | 'rows'>): RowLine;
  beside(score: Pick<BesideScore, 'group' | 'rows'>): RowLine;
}

export function createRowLines(): RowLines {
  const fulls = new Map<string, Known>();
  return {
    full: (group, { version, rows }) => {
      const line = lineSince(fulls.get(group), rows);
      fulls.set(group, { version, rows });
      return line;
    },
    beside: ({ group, rows }) => lineSince(fulls.get(group), rows),
  };
}

function lineSince(known: Known | undefined, rows: RowIds): RowLine {
  if (!known) return { rows };
  const gone = without(known.rows, rows);
  return {
    rows: without(rows, known.rows),
    ...(Object.keys(gone).length > 0 ? { gone } : {}),
    since: known.version,
  };
}

/** The rows that are not among the others. */
function without(rows: RowIds, others: RowIds): RowIds {
  return Object.fromEntries(
    Object.entries(rows).flatMap(([episode, ids]) => {
      const known = new Set(others[episode]);
      const left = ids.filter((id) => !known.has(id));
      return left.length > 0 ? [[episode, left]] : [];
    }),
  );
}

/** The rows of a line, from those of the line that it adds to, sorted by episode and turn. */
export function rowsOfLine({ rows, gone = {} }: RowLine, known: RowIds): RowIds {
  const left = without(known, gone);
  const episodes = [...new Set([...Object.keys(left), ...Object.keys(rows)])].sort();
  return Object.fromEntries(
    episodes.map((episode) => [episode, [...(left[episode] ?? []), ...(rows[episode] ?? [])].sort(byTurn)]),
  );
}

function byTurn(a: string, b: string): number {
  const [from, to] = a.split('>').map(Number) as [number, number];
  const [otherFrom, otherTo] = b.split('>').map(Number) as [number, number];
  return from - otherFrom || to - otherTo;
}
