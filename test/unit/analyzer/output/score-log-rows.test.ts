import { expect, it } from 'vitest';
import { createRowLines } from '../../../../src/analyzer/output/score-log-rows.ts';
import type { RowIds } from '../../../../src/analyzer/ingest/group-rows.ts';
import { withRows, type ScoreLine } from '../../../../src/recordings/read-scores.ts';

const rowsOf = (episodes: number, turns = 6): RowIds =>
  Object.fromEntries(
    Array.from({ length: episodes }, (_, e) => [
      `e${String(e).padStart(4, '0')}`,
      Array.from({ length: turns }, (_, turn) => `${2 * turn}>${2 * turn + 1}`),
    ]),
  );

it('the row ledger lists each row once, so that lines grow with the rows and not with their square', () => {
  const ledger = createRowLines();
  const bytesOf = (episodes: number): number => {
    let bytes = 0;
    for (let n = 1; n <= episodes; n += 1)
      bytes += JSON.stringify(ledger.full(`g${episodes}`, { version: n, rows: rowsOf(n) })).length;
    return bytes;
  };
  expect(bytesOf(400) / bytesOf(200)).toBeLessThan(2.1);
});

it('the row ledger gives every line its rows back: grown, shrunk, replaced, full and secondary', () => {
  const ledger = createRowLines();
  const group = 'g';
  const { e0001 = [], ...others } = rowsOf(3);
  const sets = [rowsOf(2), rowsOf(3), { ...others, e0001: e0001.slice(1) }, rowsOf(5), rowsOf(1), {}];
  const lines: ScoreLine[] = sets.map((rows, version) => ({
    type: 'score',
    group,
    version,
    ...ledger.full(group, { version, rows }),
  }));
  expect([...withRows(lines)].map(({ rows }) => rows)).toEqual(sets);
  const base = sets.length - 1;
  const beside: ScoreLine = { type: 'beside', group, version: base, ...ledger.beside({ group, rows: {} }) };
  const all = [...withRows([...lines, beside])];
  expect(all.slice(sets.length).map(({ rows }) => rows)).toEqual([{}]);
  // After a restart the first line lists everything again.
  const fresh = createRowLines().full(group, { version: 99, rows: rowsOf(2) });
  expect([...withRows([...lines, { type: 'score', group, version: 99, ...fresh }])].at(-1)?.rows).toEqual(
    rowsOf(2),
  );
});

it('the row ledger gives no rows for a line whose predecessor is not in the file', () => {
  const ledger = createRowLines();
  const lines: ScoreLine[] = [1, 2, 3].map((version) => ({
    type: 'score',
    group: 'g',
    version,
    ...ledger.full('g', { version, rows: rowsOf(version) }),
  }));
  expect([...withRows([lines[0]!, lines[2]!])].map(({ rows }) => rows)).toEqual([rowsOf(1), undefined]);
});
