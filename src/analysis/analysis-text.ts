/** Formats an analysis as tables with notes. */
import { groupBy } from '../synchrony/group-by.ts';
import type { Interval } from '../synchrony/types.ts';
import type { Analysis, Association } from './analyze-tables.ts';

export interface AboutAnalysis {
  runs: number;
  condition: string;
  /** Number of groups left out because their figures are provisional. */
  provisional: number;
}

const HEAD = [
  'figure',
  'outcome',
  'of',
  'models',
  'cells',
  'Pearson',
  '95 % interval',
  'bootstrap',
  'Spearman',
  'p',
  'q',
  'partial',
];
const LEFT_COLUMNS = 4;
const MOST_ENUMERATED = 6;

export function analysisText(analysis: Analysis, { runs, condition, provisional }: AboutAnalysis): string {
  const { models, associations } = analysis;
  const lines = [
    `${models.length} ${models.length === 1 ? 'model' : 'models'} in ${runs} ${runs === 1 ? 'run' : 'runs'}, condition ${condition}: figures of their talk beside outcomes, over ordered pairs of models`,
    ...(associations.length === 0 ? [] : tableLines([HEAD, ...associations.map(rowOf)], LEFT_COLUMNS)),
    ...missingLines(analysis),
    ...(associations.length === 0 ? [] : ['', ...restingOn(models.length, associations)]),
    ...withinLines(analysis),
    ...relationLines(analysis),
    ...(provisional === 0
      ? []
      : [`${provisional} groups are provisional and were left out: let their runs end`]),
  ];
  return `${lines.join('\n')}\n`;
}

function rowOf(one: Association): string[] {
  const { interval, bootstrap, spearman, partial } = one;
  const range = (of: Interval | undefined): string => (of ? `[${signed(of.low)}, ${signed(of.high)}]` : '–');
  const [rank, rest] = [spearman, partial].map((value) => (value === undefined ? '–' : signed(value)));
  return [
    one.isRival ? `(${one.figure})` : one.figure,
    one.outcome,
    one.of,
    `${one.models}${one.family === undefined ? '' : ` ${one.family}`}`,
    String(one.cells),
    signed(one.pearson),
    range(interval),
    range(bootstrap),
    rank ?? '',
    one.pValue.toFixed(3),
    one.qValue.toFixed(3),
    rest ?? '',
  ];
}

/** What is missing for the same reason stands in one line. */
function missingLines({ missing }: Analysis): string[] {
  const groups = groupBy(missing, ({ outcome, of, family }) =>
    [`${outcome} (${of})`, ...(family === undefined ? [] : [`family ${family}`])].join(', '),
  );
  const said = [...groups].flatMap(([whose, own]) =>
    [...groupBy(own, ({ reason }) => reason)].map(([reason, same]) => ({
      whose,
      lacks: `no figure for ${same.map(({ figure }) => figure).join(', ')}, ${reason}`,
    })),
  );
  return [...groupBy(said, ({ lacks }) => lacks)].map(
    ([lacks, same]) => `${same.map(({ whose }) => whose).join('; ')}: ${lacks}`,
  );
}

function restingOn(models: number, [first]: readonly Association[]): string[] {
  const orders = first?.permutations ?? 0;
  const least =
    models <= MOST_ENUMERATED
      ? `no p can be below 1/${orders}`
      : `no p can be below 1/${orders} with so many draws`;
  return [
    `p: models permuted, ${first?.exact === true ? 'all' : 'drawn'} ${orders} orders; with ${models} models ${least}; q: corrected for all rows`,
    'of both: mean outcome of the two agents; of predicted: of the agent whose states are predicted; in brackets: figures of the words, or of the models, alone',
    'the interval leaves out one model at a time, the bootstrap draws as many models with replacement; partial, with the covariates of both models held constant, has no p here',
  ];
}

function withinLines({ within }: Analysis): string[] {
  return within.map((one) => {
    const where = `${one.outcome} within models, ${one.episodes} episodes of ${one.scenarios} scenarios`;
    if ('reason' in one) return `${where}: no figure, ${one.reason}`;
    const { slope, interval, pValue, qValue } = one;
    return `${where}: slope ${signed(slope)} [${signed(interval.low)}, ${signed(interval.high)}] for each unit of an episode’s R², p ${pValue.toFixed(3)}, q ${qValue.toFixed(3)}`;
  });
}

function relationLines({ relations }: Analysis): string[] {
  return relations.map((one) => {
    const what = `who makes ${one.figure}`;
    if ('reason' in one) return `${what}: no figure, ${one.reason}`;
    const { variance, covariance } = one;
    const figures = [
      `predicting or speaking model ${variance.actor.toPrecision(2)}`,
      `predicted or listening model ${variance.partner.toPrecision(2)}`,
      `pair and error ${variance.relationship.toPrecision(2)}`,
      `reciprocity ${covariance.reciprocity.toPrecision(2)}`,
    ];
    return `${what} (variances, social relations model): ${figures.join(', ')}`;
  });
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;

/** @param left columns of text; the others hold numbers, which stand at the right */
export function tableLines(rows: readonly (readonly string[])[], left: number): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
