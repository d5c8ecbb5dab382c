/** The table of measures step by step, as lines of text. */
import type { GroupReport, ScoreReport, StepMeasureReport } from '../../protocol/reports/score-report.ts';
import { byName, directionOf, intervalText, layOut, signed, whoOf } from './score-table.ts';

const STEP_HEADER = [
  'condition',
  'direction',
  'step by step',
  'value',
  'shifted q95',
  'same words',
  'excess',
  '95 % interval',
  'p',
  'lag',
  'windows',
];

/** Measures over the windows of aligned steps; no lines if the study streams no steps. */
export function stepTable(report: ScoreReport): string[] {
  const groups = report.groups.toSorted(byName);
  const [, ...others] = new Set(groups.map(whoOf));
  const rows = groups.flatMap((group) =>
    stepRows(group).map(([condition = '', direction = '', ...cells]) => [
      condition,
      others.length > 0 ? `${direction}, ${whoOf(group)}` : direction,
      ...cells,
    ]),
  );
  return rows.length === 0 ? [] : layOut([STEP_HEADER, ...rows]);
}

function stepRows(group: GroupReport): string[][] {
  const { steps } = group;
  if (!steps) return [];
  const place = [group.condition, directionOf(group)];
  if (steps.reason !== undefined) return [[...place, steps.reason]];
  return steps.measures.map((measure) => [...place, ...stepCells(measure), String(steps.dyads)]);
}

/** Without the same words behind another history a figure has no excess and no p-value. */
function stepCells(report: StepMeasureReport): string[] {
  const { measure, value, nullQ95, control, excess, ciLow, ciHigh, pValue, bestLag } = report;
  const shown = (figure: number | null): string => (figure === null ? '' : signed(figure));
  return [
    measure,
    signed(value),
    shown(nullQ95),
    control === null ? 'no control' : signed(control),
    shown(excess),
    ciLow === null || ciHigh === null ? '' : intervalText({ ciLow, ciHigh }),
    pValue === null ? '' : pValue < 0.001 ? '< 0.001' : pValue.toFixed(3),
    bestLag === undefined ? '' : String(bestLag),
  ];
}
