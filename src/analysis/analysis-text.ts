/** Formats an analysis as a table with notes. */
import type { Analysis, Association } from './analyze-tables.ts';

export interface AboutAnalysis {
  runs: number;
  condition: string;
  /** Number of groups left out because their figures are provisional. */
  provisional: number;
}

const HEAD = ['outcome', 'of', 'cells', 'Pearson', '95 % interval', 'Spearman', 'p', 'q', 'partial'];
const MOST_ENUMERATED = 6;

export function analysisText(
  { models, associations, missing, relations }: Analysis,
  { runs, condition, provisional }: AboutAnalysis,
): string {
  const lines = [
    `${models.length} models in ${runs} ${runs === 1 ? 'run' : 'runs'}, condition ${condition}: strict excess beside outcomes, over ordered pairs of models`,
    ...(associations.length === 0 ? [] : tableLines([HEAD, ...associations.map(rowOf)])),
    ...missing.map(({ outcome, of, reason }) => `${outcome} (${of}): no figure, ${reason}`),
    ...(associations.length === 0 ? [] : ['', ...restingOn(models.length, associations)]),
    ...relationLines(relations),
    ...(provisional === 0
      ? []
      : [`${provisional} groups are provisional and were left out: let their runs end`]),
  ];
  return `${lines.join('\n')}\n`;
}

function rowOf({
  outcome,
  of,
  cells,
  pearson,
  interval,
  spearman,
  pValue,
  qValue,
  partial,
}: Association): string[] {
  const range = interval ? `[${signed(interval.low)}, ${signed(interval.high)}]` : '–';
  const rest = [spearman, partial].map((value) => (value === undefined ? '–' : signed(value)));
  return [
    outcome,
    of,
    String(cells),
    signed(pearson),
    range,
    rest[0] ?? '',
    pValue.toFixed(3),
    qValue.toFixed(3),
    rest[1] ?? '',
  ];
}

function restingOn(models: number, [first]: readonly Association[]): string[] {
  const orders = first?.permutations ?? 0;
  const least =
    models <= MOST_ENUMERATED
      ? `no p can be below 1/${orders}`
      : `no p can be below 1/${orders} with so many draws`;
  return [
    `p: models permuted, ${first?.exact === true ? 'all' : 'drawn'} ${orders} orders; with ${models} models ${least}`,
    'of both: mean outcome of the two agents; of predicted: of the agent whose states are predicted',
    'the interval leaves out one model at a time; partial, with the covariates of both models held constant, has no p here',
  ];
}

function relationLines(relations: Analysis['relations']): string[] {
  if ('reason' in relations) return [`who makes synchrony: no figure, ${relations.reason}`];
  const { variance, covariance } = relations;
  const figures = [
    `predicting model ${variance.actor.toPrecision(2)}`,
    `predicted model ${variance.partner.toPrecision(2)}`,
    `pair and error ${variance.relationship.toPrecision(2)}`,
    `reciprocity ${covariance.reciprocity.toPrecision(2)}`,
  ];
  return [`who makes synchrony (variances, social relations model): ${figures.join(', ')}`];
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;

function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
