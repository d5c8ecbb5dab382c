/** Synchrony beside outcomes across models, of all runs of a report together. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { analyzeTables, type Analysis } from '../analysis/analyze-tables.ts';
import { collectTables, type Collected } from '../analysis/collect-tables.ts';
import { probability } from '../viewer/page/format.ts';
import type { Markup } from './figures/svg.ts';
import { xyPlot } from './figures/xy.ts';
import { paragraph, section, smallFigure, table, withSign } from './parts.ts';

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
  const { models, associations, missing } = analysis;
  return section(
    'Synchrony beside outcomes, across models',
    paragraph(
      `${models.length} models. Each point is an ordered pair of models: its excess in live talk, and the mean outcome of its dialogues. Pairs that share a model are not independent, so p is by permuting models; with ${models.length} models it cannot fall below 1/${associations[0]?.permutations ?? 1}.`,
    ),
    table(
      ['outcome', 'of', 'pairs', 'Pearson', 'Spearman', '95 % interval', 'p', 'q'],
      associations.map(({ outcome, of, cells, pearson, spearman, interval, pValue, qValue }) => [
        outcome,
        of,
        String(cells),
        withSign(pearson),
        spearman === undefined ? '–' : withSign(spearman),
        interval ? `[${withSign(interval.low)}, ${withSign(interval.high)}]` : '–',
        probability(pValue),
        probability(qValue),
      ]),
    ),
    missing.map(({ outcome, of, reason }) => paragraph(`${outcome} (${of}): no figure, ${reason}.`)),
    collected.outcomes.map(({ name, both }) => outcomeFigure(collected, name, both)),
  );
}

function outcomeFigure(collected: Collected, name: string, outcome: Collected['synchrony']): Markup {
  const points = pointsOf(collected, outcome);
  const frame = { title: `${name} by excess`, xLabel: 'excess in live talk', yLabel: name };
  return smallFigure(
    `${name}, both agents together.`,
    xyPlot([{ name, color: 'hue-a', points, isJoined: false }], frame),
  );
}

function pointsOf({ models, synchrony }: Collected, outcome: Collected['synchrony']) {
  return models.flatMap((source, row) =>
    models.flatMap((target, column) => {
      const x = synchrony[row]?.[column];
      const y = outcome[row]?.[column];
      return x === undefined || y === undefined
        ? []
        : [{ x, y, name: `${shortest(source)} → ${shortest(target)}` }];
    }),
  );
}

/** What comes behind the last hyphen of a model's name. */
const shortest = (name: string): string => name.split('-').at(-1) ?? name;
