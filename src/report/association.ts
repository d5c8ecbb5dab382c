/** Synchrony beside outcomes across models, of all runs of a report together. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { analyzeTables, type Analysis } from '../analysis/analyze-tables.ts';
import { collectTables, type Collected } from '../analysis/collect-tables.ts';
import type { PairTable } from '../synchrony/stats/qap.ts';
import { probability } from '../viewer/page/format.ts';
import type { Markup } from './figures/svg.ts';
import { xyPlot } from './figures/xy.ts';
import { list, paragraph, section, smallFigure, table, withSign } from './parts.ts';

export interface Association {
  analysis: Analysis;
  collected: Collected;
}

/** Fewer models than this say nothing of models. */
const FEWEST_MODELS = 3;
const DRAWS = 4999;

/** @returns undefined where there are too few models, or no outcomes */
export async function readAssociation(folders: readonly string[]): Promise<Association | undefined> {
  const scored = await Promise.all(folders.map(async (folder) => ((await isScored(folder)) ? [folder] : [])));
  const collected = await collectTables(scored.flat(), 'live');
  if (collected.models.length < FEWEST_MODELS || collected.outcomes.length === 0) return undefined;
  return {
    collected,
    analysis: analyzeTables(collected, {
      covariates: new Map(),
      draws: DRAWS,
      seed: 1,
    }),
  };
}

const isScored = (folder: string): Promise<boolean> =>
  access(join(folder, 'scores.jsonl')).then(
    () => true,
    () => false,
  );

export function associationSection({ analysis, collected }: Association): Markup {
  const { models, associations, missing, within } = analysis;
  const states = collected.figures.filter(({ isRival }) => !isRival);
  return section(
    'Synchrony beside outcomes, across models',
    paragraph(
      `${models.length} models. Each point is an ordered pair of models: a figure of its live talk, and the mean outcome of its dialogues. Pairs that share a model are not independent, so p is by permuting models; with ${models.length} models it cannot fall below 1/${associations[0]?.permutations ?? 1}. Figures in brackets are of the words alone: where they go with the outcome as well, hidden states are not shown to add anything.`,
    ),
    table(
      ['figure', 'outcome', 'of', 'pairs', 'Pearson', 'Spearman', '95 % interval', 'p', 'q'],
      associations.map(rowOf),
    ),
    missing.length > 0
      ? list([
          ...new Set(
            missing.map(
              ({ figure, outcome, of, reason }) => `${figure}, ${outcome} (${of}): no figure, ${reason}.`,
            ),
          ),
        ])
      : undefined,
    within.map(withinText),
    collected.outcomes.flatMap(({ name, both }) =>
      states
        .filter(({ name: figure }) =>
          associations.some((one) => one.figure === figure && one.outcome === name && one.of === 'both'),
        )
        .map((figure) => outcomeFigure(collected, figure, { name, table: both })),
    ),
  );
}

function rowOf(one: Analysis['associations'][number]): string[] {
  const { figure, isRival, outcome, of, cells, pearson, spearman, interval, pValue, qValue } = one;
  return [
    isRival ? `(${figure})` : figure,
    outcome,
    of,
    String(cells),
    withSign(pearson),
    spearman === undefined ? '–' : withSign(spearman),
    interval ? `[${withSign(interval.low)}, ${withSign(interval.high)}]` : '–',
    probability(pValue),
    probability(qValue),
  ];
}

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

function outcomeFigure(collected: Collected, figure: NamedTable, outcome: NamedTable): Markup {
  const points = pointsOf(collected.models, figure.table, outcome.table);
  const frame = {
    title: `${outcome.name} by ${figure.name}`,
    xLabel: `${figure.name} in live talk`,
    yLabel: outcome.name,
  };
  return smallFigure(
    `${outcome.name} by ${figure.name}, both agents together.`,
    xyPlot([{ name: outcome.name, color: 'hue-a', points, isJoined: false }], frame),
  );
}

function pointsOf(models: readonly string[], figure: PairTable, outcome: PairTable) {
  return models.flatMap((source, row) =>
    models.flatMap((target, column) => {
      const x = figure[row]?.[column];
      const y = outcome[row]?.[column];
      return x === undefined || y === undefined
        ? []
        : [{ x, y, name: `${shortest(source)} → ${shortest(target)}` }];
    }),
  );
}

/** What comes behind the last hyphen of a model's name. */
const shortest = (name: string): string => name.split('-').at(-1) ?? name;
