/** The table of synchrony beside its nulls, as lines of text: a pure function of the analyzer's report. */
import type { GroupReport, ScoreReport } from '../protocol/report.ts';

/** The interval is that of the excess: score − mean of its null. */
const HEADER = [
  'condition',
  'direction',
  'pairs',
  'beyond history',
  'null q95',
  'excess',
  '95 % interval',
  'p',
  'q',
  'words',
  'lag 3',
  'paper',
  'its null',
];

export function scoreTable(report: ScoreReport): string[] {
  const rows = [HEADER, ...report.groups.toSorted(byName).map(row)];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((cells) => widthOf(cells, column))));
  return rows.map((cells) =>
    cells
      .map((cell, column) => align(cell, widths[column] ?? 0, column))
      .join('  ')
      .trimEnd(),
  );
}

/** The last cell of a row that is cut short holds a reason, which may run over the columns that follow. */
function widthOf(cells: string[], column: number): number {
  return cells.length < HEADER.length && column === cells.length - 1 ? 0 : (cells[column] ?? '').length;
}

function row(group: GroupReport): string[] {
  const { strict, paper } = group;
  const direction = group.direction === 'first_to_second' ? '1st → 2nd' : '2nd → 1st';
  const place = [group.condition, direction, String(group.samples)];
  if (!strict) return [...place, group.reason ?? 'not yet'];
  const interval = `[${signed(strict.ciLow)}, ${signed(strict.ciHigh)}]`;
  const headline = [
    signed(strict.score),
    signed(strict.nullQ95),
    signed(strict.excess),
    interval,
    strict.pValue.toFixed(3),
    group.qValue === null ? '' : group.qValue.toFixed(3),
    ...[group.beside?.words, group.beside?.lag3].map((one) => (one ? signed(one.excess) : '')),
  ];
  const beside = paper
    ? [paper.score.toFixed(3), paper.nullMean === null ? '' : paper.nullMean.toFixed(3)]
    : ['', ''];
  return [...place, ...headline, ...beside];
}

/** Text to the left, numbers to the right. */
function align(cell: string, width: number, column: number): string {
  return column < 2 || !/^[+\-−\d[]/.test(cell) ? cell.padEnd(width) : cell.padStart(width);
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
}

function byName(a: GroupReport, b: GroupReport): number {
  return `${a.condition} ${a.direction}`.localeCompare(`${b.condition} ${b.direction}`);
}
