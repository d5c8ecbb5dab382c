/**
 * Correlates figures of synchrony, and what rivals them, with outcomes across pairs of models. Each outcome is used as
 * the pair's mean and as the value of the agent whose states are predicted; over all models, and within each family.
 */
import { qValues } from '../synchrony/stats/false-discovery.ts';
import { modelBootstrap } from '../synchrony/stats/model-bootstrap.ts';
import { modelInterval } from '../synchrony/stats/model-jackknife.ts';
import { partialCorrelation } from '../synchrony/stats/partial-correlation.ts';
import { qap, type PairTable } from '../synchrony/stats/qap.ts';
import { socialRelations, type SocialRelations } from '../synchrony/stats/social-relations.ts';
import { spearman } from '../synchrony/stats/spearman.ts';
import type { Interval, NoScore } from '../synchrony/types.ts';
import type { Collected, Covariates } from './collect-tables.ts';
import { withinModels, type WithinModels } from './within-models.ts';

export interface Association {
  /** The figure that is held against the outcome, such as `excess`. */
  figure: string;
  /** Whether it is one of the words alone. */
  isRival: boolean;
  outcome: string;
  of: 'both' | 'predicted';
  /** Absent over all models. */
  family?: string;
  models: number;
  pearson: number;
  /** By a jackknife over models; absent if there are too few. */
  interval?: Interval;
  /** By drawing models with replacement; absent if there are too few. */
  bootstrap?: Interval;
  spearman?: number;
  /** From permutations of the models (QAP). */
  pValue: number;
  /** Corrected over all associations (Benjamini–Hochberg). */
  qValue: number;
  cells: number;
  /** Number of permutations. */
  permutations: number;
  exact: boolean;
  /** r with the covariates of both models held constant, as if cells were independent. */
  partial?: number;
}

export interface Analysis {
  models: string[];
  associations: Association[];
  /** Associations without a value, with the reason. */
  missing: { figure: string; outcome: string; of: 'both' | 'predicted'; family?: string; reason: string }[];
  /** Outcomes of single episodes on their synchrony, where no models differ. */
  within: WithinModels[];
  /** Variance of each figure due to the predicting model, the predicted model and the pair. */
  relations: Relation[];
}

export type Relation = { figure: string } & (SocialRelations | NoScore);

export interface AnalysisOptions {
  covariates: Covariates;
  /** Family of each model; associations are also given within those of three models or more. */
  families?: ReadonlyMap<string, string>;
  draws: number;
  seed: number;
}

/** Permuting models takes three of them. */
const FEWEST_IN_FAMILY = 3;

export function analyzeTables(collected: Collected, options: AnalysisOptions): Analysis {
  const { models, figures, episodes } = collected;
  const found: Omit<Association, 'qValue'>[] = [];
  const missing: Analysis['missing'] = [];
  for (const { asked, isRival, cells } of questionsOf(collected, options)) {
    const answer = qap(cells.x, cells.y, options);
    if ('reason' in answer) missing.push({ ...asked, reason: answer.reason });
    else found.push({ ...asked, isRival, ...figuresOf(answer), ...besides(cells, options) });
  }
  const q = qValues(found.map(({ pValue }) => pValue));
  return {
    models,
    associations: found.map((one, at) => ({ ...one, qValue: q[at] as number })),
    missing,
    within: withinModels(episodes),
    relations: figures
      .filter(({ isRival }) => !isRival)
      .map(({ name, table }) => ({ figure: name, ...socialRelations(table) })),
  };
}

interface Question {
  asked: { figure: string; outcome: string; of: 'both' | 'predicted'; family?: string };
  isRival: boolean;
  cells: Cells;
}

/** Every figure with every outcome, over all models and within each family. */
const questionsOf = ({ models, figures, outcomes }: Collected, { families }: AnalysisOptions): Question[] =>
  setsOf(models, families).flatMap(({ family, members }) =>
    figures.flatMap(({ name: figure, isRival, table }) =>
      outcomes.flatMap(({ name: outcome, ...tables }) =>
        (['both', 'predicted'] as const).map((of) => ({
          asked: { figure, outcome, of, ...(family === undefined ? {} : { family }) },
          isRival,
          cells: {
            x: within(table, members),
            y: within(tables[of], members),
            models: members.map((at) => models[at] as string),
          },
        })),
      ),
    ),
  );

function figuresOf({ r, ...rest }: Exclude<ReturnType<typeof qap>, NoScore>) {
  return { pearson: r, ...rest };
}

/** All models, then each family that is large enough and not all of them. */
function setsOf(
  models: readonly string[],
  families: AnalysisOptions['families'],
): { family?: string; members: number[] }[] {
  const all = [...models.keys()];
  const names = [...new Set(families?.values())].toSorted();
  const parts = names.map((family) => ({
    family,
    members: all.filter((at) => families?.get(models[at] as string) === family),
  }));
  return [
    { members: all },
    ...parts.filter(({ members }) => members.length >= FEWEST_IN_FAMILY && members.length < all.length),
  ];
}

const within = (table: PairTable, members: readonly number[]): PairTable =>
  members.map((row) => members.map((column) => table[row]?.[column]));

interface Cells {
  x: PairTable;
  y: PairTable;
  models: readonly string[];
}

function besides(
  { x, y, models }: Cells,
  { covariates, seed }: Pick<AnalysisOptions, 'covariates' | 'seed'>,
): Pick<Association, 'interval' | 'bootstrap' | 'spearman' | 'partial'> {
  const cells = sharedCells(x, y);
  const [first, second] = [cells.map((cell) => cell.x), cells.map((cell) => cell.y)];
  const interval = modelInterval(x, y);
  const bootstrap = modelBootstrap(x, y, { seed });
  const ranked = spearman(first, second);
  const held = [...covariates.values()].flatMap((values) =>
    (['row', 'column'] as const).map((side) =>
      cells.map((cell) => values.get(models[cell[side]] ?? '') ?? Number.NaN),
    ),
  );
  const partial = held.length > 0 ? partialCorrelation(first, second, held) : undefined;
  return {
    ...('reason' in interval ? {} : { interval }),
    ...('reason' in bootstrap ? {} : { bootstrap }),
    ...('reason' in ranked ? {} : { spearman: ranked.r }),
    ...(partial === undefined || 'reason' in partial ? {} : { partial: partial.r }),
  };
}

function sharedCells(
  first: PairTable,
  second: PairTable,
): { row: number; column: number; x: number; y: number }[] {
  return first.flatMap((cells, row) =>
    cells.flatMap((x, column) => {
      const y = second[row]?.[column];
      return x === undefined || y === undefined ? [] : [{ row, column, x, y }];
    }),
  );
}
