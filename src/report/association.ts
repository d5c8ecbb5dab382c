/** Synchrony beside outcomes across models, of all runs of a report together. */
import { shortNames } from '../protocol/reports/short-names.ts';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { analyzeTables, type Analysis } from '../analysis/analyze-tables.ts';
import { collectTables, type Collected } from '../analysis/collect-tables.ts';
import { readCovariates } from '../analysis/read-covariates.ts';
import type { Interval } from '../synchrony/types.ts';
import { groupBy } from '../synchrony/group-by.ts';
import type { PairTable } from '../synchrony/stats/qap.ts';
import { probability } from '../viewer/page/format.ts';
import { el, type Markup } from './figures/svg.ts';
import { xyPlot } from './figures/xy.ts';
import { list, paragraph, section, smallFigure, table, two, withSign } from './parts.ts';

export interface Association {
  analysis: Analysis;
  collected: Collected;
}

/** Fewer models than this say nothing of models. */
const FEWEST_MODELS = 3;
const DRAWS = 4999;

/**
 * @param covariates file of them
 * @returns undefined where there are too few models, or no outcomes
 * @throws EntrainError `OUTCOMES_INVALID` of the file
 */
export async function readAssociation(
  folders: readonly string[],
  covariates?: string,
): Promise<Association | undefined> {
  const scored = await Promise.all(folders.map(async (folder) => ((await isScored(folder)) ? [folder] : [])));
  const collected = await collectTables(scored.flat(), 'live');
  if (collected.models.length < FEWEST_MODELS || collected.outcomes.length === 0) return undefined;
  const facts =
    covariates === undefined
      ? { covariates: collected.covariates }
      : await readCovariates(covariates, collected.models);
  const options = { ...facts, draws: DRAWS, seed: 1 };
  return { collected, analysis: analyzeTables(collected, options) };
}

const isScored = (folder: string): Promise<boolean> =>
  access(join(folder, 'scores.jsonl')).then(
    () => true,
    () => false,
  );

/** The outcome of the headline, where there is one. */
const PRIMARY = 'rule success';

/** What the primary figure says: the excess beside success by rule, or else beside the first outcome. */
export function acrossModels({ analysis }: Association): string | undefined {
  const { associations, models } = analysis;
  const pooled = associations.filter(
    ({ figure, of, family }) => figure === 'excess' && of === 'both' && !family,
  );
  const first = pooled.find(({ outcome }) => outcome === PRIMARY) ?? pooled[0];
  if (!first) return undefined;
  const { pearson, interval, pValue, permutations, outcome } = first;
  const range = interval ? ` ${rangeText(interval)}` : '';
  const figures = `r ${withSign(pearson)}${range}, p ${probability(pValue)} by permuting ${models.length} models (at least 1/${permutations})`;
  if (pValue > LEVEL)
    return `Across pairs of models, synchrony is not shown to go with ${outcome}: ${figures}.`;
  return `Pairs of models with more synchrony have ${pearson > 0 ? 'more' : 'less'} ${outcome}: ${figures}.`;
}

/** Significance level. */
const LEVEL = 0.05;

export function associationSection({ analysis, collected }: Association): Markup {
  const { models, associations, missing, within, relations } = analysis;
  const states = collected.figures.filter(({ isRival }) => !isRival);
  const cells = new Set(associations.map((one) => one.cells));
  const outcomes = primaryFirst(collected.outcomes);
  return section(
    'Synchrony beside outcomes, across models',
    paragraph(
      `${models.length} models. Each point is an ordered pair of models${cells.size === 1 ? `, ${[...cells][0]} in all` : ''}: a figure of its live talk, and the mean outcome of its dialogues, of both agents or of the predicted one. Pairs that share a model are not independent, so p is by permuting models; with ${models.length} models it cannot fall below 1/${associations[0]?.permutations ?? 1}. Figures in brackets are of the words, or of what the replying model finds likely: where they go with the outcome as well, hidden states are not shown to add anything. The interval leaves out one model at a time, the bootstrap draws as many models with replacement; with few models both are rough.`,
    ),
    associations.some(({ partial }) => partial !== undefined)
      ? paragraph('Partial: with the covariates of both models held constant; it has no p here.')
      : undefined,
    outcomes.flatMap(({ name, both }) => [
      associationTables(associations.filter(({ outcome }) => outcome === name)),
      ...states
        .filter(({ name: figure }) =>
          associations.some((one) => one.figure === figure && one.outcome === name && one.of === 'both'),
        )
        .map((figure) => outcomeFigure(collected, figure, { name, table: both })),
    ]),
    missingList(missing),
    within.map(withinText),
    relationsTable(relations),
    states.map(({ name, table: cellsOf }) => pairTable(models, { name, table: cellsOf })),
    outcomes.map(({ name, both }) => pairTable(models, { name, table: both })),
  );
}

const primaryFirst = <T extends { name: string }>(outcomes: readonly T[]): T[] =>
  outcomes.toSorted((one, other) => Number(other.name === PRIMARY) - Number(one.name === PRIMARY));

/** Tables of one outcome, of both agents and of the predicted one, and for each family of models. */
function associationTables(associations: Analysis['associations']): Markup {
  const isPartial = associations.some(({ partial }) => partial !== undefined);
  const head = ['figure', 'Pearson', '95 % interval', 'bootstrap', 'Spearman', 'p', 'q'];
  const groups = groupBy(associations, ({ outcome, of, family }) => {
    const whose = of === 'both' ? 'of both agents' : 'of the predicted agent';
    return `${outcome}, ${whose}${family === undefined ? '' : `, family ${family}`}`;
  });
  return el(
    'div',
    {},
    [...groups].map(([title, own]) => [
      el('h3', {}, title),
      table(
        isPartial ? [...head, 'partial'] : head,
        own.map((one) => (isPartial ? [...rowOf(one), partialText(one)] : rowOf(one))),
      ),
    ]),
  );
}

const partialText = ({ partial }: Analysis['associations'][number]): string =>
  partial === undefined ? '–' : withSign(partial);

/** What is missing for the same reason stands in one line. */
function missingList(missing: Analysis['missing']): Markup | undefined {
  if (missing.length === 0) return undefined;
  const reasons = groupBy(missing, ({ figure, reason }) => `${figure}: no figure, ${reason}`);
  return list(
    [...reasons].map(
      ([said, own]) => `${said} (${own.map(({ outcome, of }) => `${outcome}, ${of}`).join('; ')}).`,
    ),
  );
}

const rangeText = (range: Interval | undefined): string =>
  range ? `[${withSign(range.low)}, ${withSign(range.high)}]` : '–';

function rowOf(one: Analysis['associations'][number]): string[] {
  const { figure, isRival, pearson, spearman, interval, bootstrap } = one;
  return [
    isRival ? `(${figure})` : figure,
    withSign(pearson),
    rangeText(interval),
    rangeText(bootstrap),
    spearman === undefined ? '–' : withSign(spearman),
    probability(one.pValue),
    probability(one.qValue),
  ];
}

/** A figure of each ordered pair of models. */
function pairTable(models: readonly string[], { name, table: cells }: NamedTable): Markup | undefined {
  if (cells.flat().every((value) => value === undefined)) return undefined;
  const names = shortNames(models);
  return el(
    'div',
    {},
    el('h3', {}, `${name} by pair of models`),
    table(
      ['speaks or predicts ↓', ...names],
      names.map((row, at) => [
        row,
        ...names.map((_, column) => {
          const value = cells[at]?.[column];
          return value === undefined ? '–' : two(value);
        }),
      ]),
    ),
  );
}

/** Shares of the variance of each figure, by the social relations model. */
function relationsTable(relations: Analysis['relations']): Markup | undefined {
  const found = relations.flatMap((one) => ('reason' in one ? [] : [one]));
  if (found.length === 0) return undefined;
  return el(
    'div',
    {},
    paragraph(
      'Who makes a figure: its variance over pairs of models, split into what lies with the predicting or speaking model, with the predicted or listening one, and with the pair and error (social relations model). Below 0: less than chance spreads.',
    ),
    table(
      ['figure', 'predicting or speaking', 'predicted or listening', 'pair and error'],
      found.map(({ figure, variance: { actor, partner, relationship } }) => [
        figure,
        ...[actor, partner, relationship].map(varianceText),
      ]),
    ),
  );
}

const varianceText = (value: number): string =>
  Math.abs(value) < 1e-12 ? '0' : value.toPrecision(2).replace('-', '−');

function withinText(one: Analysis['within'][number]): Markup {
  const what = `Within models, ${one.outcome} over ${one.episodes} episodes of ${one.scenarios} scenarios`;
  if ('reason' in one) return paragraph(`${what}: no figure, ${one.reason}.`);
  const { slope, interval, pValue } = one;
  return paragraph(
    `${what}: slope ${withSign(slope)} [${withSign(interval.low)}, ${withSign(interval.high)}] for each unit of an episode’s R², p ${probability(pValue)}.`,
  );
}

interface NamedTable {
  name: string;
  table: PairTable;
}

/** With more points than this, names of models would cover one another: they are letters then. */
const MOST_NAMED = 12;

function outcomeFigure({ models }: Collected, figure: NamedTable, outcome: NamedTable): Markup {
  const short = shortNames(models);
  const isMany = models.length ** 2 > MOST_NAMED;
  const letters = short.map((_, at) => String.fromCodePoint(65 + (at % 26)));
  const nameOf = (row: number, column: number): string =>
    isMany ? `${letters[row]}${letters[column]}` : `${short[row]} → ${short[column]}`;
  const key = isMany
    ? ` Letters: who speaks or predicts, then the other; ${short.map((name, at) => `${letters[at]} ${name}`).join(', ')}. Where points lie close, some have no letters; the tables of pairs have them all.`
    : '';
  const points = pointsOf(figure.table, outcome.table, nameOf);
  const frame = {
    title: `${outcome.name} by ${figure.name}`,
    xLabel: `${figure.name} in live talk`,
    yLabel: outcome.name,
  };
  return smallFigure(
    `${outcome.name} by ${figure.name}, both agents together.${key}`,
    xyPlot([{ name: outcome.name, color: 'hue-a', points, isJoined: false }], frame),
  );
}

function pointsOf(figure: PairTable, outcome: PairTable, nameOf: (row: number, column: number) => string) {
  return figure.flatMap((cells, row) =>
    cells.flatMap((x, column) => {
      const y = outcome[row]?.[column];
      return x === undefined || y === undefined ? [] : [{ x, y, name: nameOf(row, column) }];
    }),
  );
}
