/** The tables of synchrony beside its nulls, as lines of text: pure functions of the analyzer's report. */
import type { GroupReport, ScoreReport, StepMeasureReport } from '../protocol/report.ts';

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

const STEP_HEADER = [
  'condition',
  'direction',
  'step by step',
  'value',
  'null q95',
  'excess',
  'p',
  'lag',
  'windows',
];

export function scoreTable(report: ScoreReport): string[] {
  return layOut([HEADER, ...report.groups.toSorted(byName).map(row)]);
}

/** What the windows of aligned steps gave; no lines where the study streams no steps. */
export function stepTable(report: ScoreReport): string[] {
  const rows = report.groups.toSorted(byName).flatMap(stepRows);
  return rows.length === 0 ? [] : layOut([STEP_HEADER, ...rows]);
}

/** Per condition with more than two agents, who is predicted by whom: sources down, targets across. No lines for pairs. */
export function matrixTables({ groups }: ScoreReport): string[] {
  const larger = groups.filter(({ agents }) => agents > 2);
  const keys = [...new Set(larger.map(({ condition, agents }) => `${condition}, ${agents} agents`))].sort();
  return keys.flatMap((key) => {
    const own = larger.filter(({ condition, agents }) => `${condition}, ${agents} agents` === key);
    const roles = Array.from({ length: own[0]?.agents ?? 0 }, (_, place) => place + 1);
    const cell = (source: number, target: number): string =>
      own
        .filter(({ sourceRole, targetRole }) => sourceRole === source && targetRole === target)
        .map(matrixCell)
        .join('; ') || (source === target ? '·' : 'nothing yet');
    const rows = roles.map((source) => [ordinal(source), ...roles.map((target) => cell(source, target))]);
    return [
      '',
      `${key}: excess beyond history, from the row to the column`,
      ...layOut([['', ...roles.map(ordinal)], ...rows]),
    ];
  });
}

function matrixCell({ strict, qValue, samples }: GroupReport): string {
  if (!strict) return `no score, n ${samples}`;
  const q = qValue === null ? '' : ` q ${qValue.toFixed(3)}`;
  return `${signed(strict.excess)} p ${strict.pValue.toFixed(3)}${q} n ${strict.samples}`;
}

function layOut(rows: string[][]): string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((cells) => widthOf(cells, { column, columns }))),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) => align(cell, widths[column] ?? 0, column))
      .join('  ')
      .trimEnd(),
  );
}

/** The last cell of a row that is cut short holds a reason, which may run over the columns that follow. */
function widthOf(cells: string[], { column, columns }: { column: number; columns: number }): number {
  return cells.length < columns && column === cells.length - 1 ? 0 : (cells[column] ?? '').length;
}

function row(group: GroupReport): string[] {
  const { strict, paper } = group;
  const place = [group.condition, directionOf(group), String(group.samples)];
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

function stepRows(group: GroupReport): string[][] {
  const { steps } = group;
  if (!steps) return [];
  const place = [group.condition, directionOf(group)];
  if (steps.reason !== undefined) return [[...place, steps.reason]];
  return steps.measures.map((measure) => [...place, ...stepCells(measure), String(steps.dyads)]);
}

function stepCells({ measure, value, excess, nullQ95, pValue, bestLag }: StepMeasureReport): string[] {
  const shown = [nullQ95, excess].map((figure) => (figure === null ? '' : signed(figure)));
  return [
    measure,
    signed(value),
    ...shown,
    pValue === null ? '' : pValue.toFixed(3),
    bestLag === undefined ? '' : String(bestLag),
  ];
}

const directionOf = ({ sourceRole, targetRole }: GroupReport): string =>
  `${ordinal(sourceRole)} → ${ordinal(targetRole)}`;

function ordinal(place: number): string {
  return `${place}${['st', 'nd', 'rd'][place - 1] ?? 'th'}`;
}

/** Text to the left, numbers to the right. */
function align(cell: string, width: number, column: number): string {
  return column < 2 || !/^[+\-−\d[]/.test(cell) ? cell.padEnd(width) : cell.padStart(width);
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
}

function byName(a: GroupReport, b: GroupReport): number {
  const name = ({ condition, agents, sourceRole, targetRole }: GroupReport): string =>
    `${condition} ${agents} ${sourceRole} ${targetRole}`;
  return name(a).localeCompare(name(b));
}
