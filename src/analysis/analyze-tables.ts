/**
 * Correlates synchrony with outcomes across pairs of models. Each outcome is used as the pair's mean and as the value
 * of the agent whose states are predicted.
 */
import { qValues } from '../synchrony/stats/false-discovery.ts';
import { modelInterval } from '../synchrony/stats/model-jackknife.ts';
import { partialCorrelation } from '../synchrony/stats/partial-correlation.ts';
import { qap, type PairTable } from '../synchrony/stats/qap.ts';
import { socialRelations, type SocialRelations } from '../synchrony/stats/social-relations.ts';
import { spearman } from '../synchrony/stats/spearman.ts';
import type { Interval, NoScore } from '../synchrony/types.ts';
import type { Collected } from './collect-tables.ts';

export interface Association {
  outcome: string;
  of: 'both' | 'predicted';
  pearson: number;
  /** By a jackknife over models; absent if there are too few. */
  interval?: Interval;
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
  missing: { outcome: string; of: 'both' | 'predicted'; reason: string }[];
  /** Variance of synchrony due to the predicting model, the predicted model and the pair. */
  relations: SocialRelations | NoScore;
}

/** Values of each model, by the name of the covariate. */
export type Covariates = ReadonlyMap<string, ReadonlyMap<string, number>>;

export interface AnalysisOptions {
  covariates: Covariates;
  draws: number;
  seed: number;
}

export function analyzeTables(
  { models, synchrony, outcomes }: Collected,
  options: AnalysisOptions,
): Analysis {
  const asked = outcomes.flatMap(({ name, both, predicted }) => [
    { outcome: name, of: 'both' as const, table: both },
    { outcome: name, of: 'predicted' as const, table: predicted },
  ]);
  const found: Omit<Association, 'qValue'>[] = [];
  const missing: Analysis['missing'] = [];
  for (const { outcome, of, table } of asked) {
    const answer = qap(synchrony, table, options);
    if ('reason' in answer) {
      missing.push({ outcome, of, reason: answer.reason });
      continue;
    }
    const { r: pearson, pValue, cells, permutations, exact } = answer;
    const more = besides({ synchrony, table, models }, options.covariates);
    found.push({ outcome, of, pearson, pValue, cells, permutations, exact, ...more });
  }
  const q = qValues(found.map(({ pValue }) => pValue));
  const associations = found.map((one, at) => ({ ...one, qValue: q[at] as number }));
  return { models, associations, missing, relations: socialRelations(synchrony) };
}

function besides(
  { synchrony, table, models }: { synchrony: PairTable; table: PairTable; models: readonly string[] },
  covariates: Covariates,
): Pick<Association, 'interval' | 'spearman' | 'partial'> {
  const cells = sharedCells(synchrony, table);
  const x = cells.map(({ x: value }) => value);
  const y = cells.map(({ y: value }) => value);
  const interval = modelInterval(synchrony, table);
  const ranked = spearman(x, y);
  const held = [...covariates.values()].flatMap((values) =>
    (['row', 'column'] as const).map((side) =>
      cells.map((cell) => values.get(models[cell[side]] ?? '') ?? Number.NaN),
    ),
  );
  const partial = held.length > 0 ? partialCorrelation(x, y, held) : undefined;
  return {
    ...('reason' in interval ? {} : { interval }),
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
