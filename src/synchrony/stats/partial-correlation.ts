/**
 * Partial correlation: of x and y, with covariates held constant.
 * Formula: Pearson's r of the residuals of x and of y, each regressed on the k covariates and a constant; p by t with
 * n − 2 − k degrees of freedom; interval by Fisher's z with n − 3 − k.
 * Range: −1 to 1.
 * Reference: Fisher, 1924.
 * No number: too few values for the covariates, a list that the covariates explain whole, or a value that is not
 * finite.
 */
import type { NoScore } from '../types.ts';
import { correlationOf, type Correlation } from './pearson.ts';
import { residualsOn } from './regression.ts';

/** @param covariates [k] lists of as many values as x; one that the others explain counts as none */
export function partialCorrelation(
  x: readonly number[],
  y: readonly number[],
  covariates: readonly (readonly number[])[],
): Correlation | NoScore {
  const uneven = [y, ...covariates].find((list) => list.length !== x.length);
  if (uneven) return { reason: `the lists have ${x.length} and ${uneven.length} values` };
  if (![...x, ...y, ...covariates.flat()].every(Number.isFinite)) return { reason: 'a value is not finite' };
  const [first, second] = [residualsOn(x, covariates), residualsOn(y, covariates)];
  if (explained(first.residuals, x) || explained(second.residuals, y))
    return { reason: 'the covariates explain a list whole' };
  return correlationOf(first.residuals, second.residuals, first.rank);
}

function explained(residuals: readonly number[], values: readonly number[]): boolean {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = Math.max(...values.map((value) => Math.abs(value - mean)));
  return residuals.every((value) => Math.abs(value) <= 1e-10 * spread);
}
