/**
 * Ordinary least squares on a few covariates and a constant, by Gram–Schmidt with every column scaled to length 1, so
 * that covariates of very different sizes do no harm.
 */

/**
 * What is left of `values` [n] once the covariates, [n] each, and the mean are taken out; and how many columns went
 * into it.
 */
export interface Residuals {
  residuals: number[];
  /** Independent covariates, without the constant. */
  rank: number;
}

/** A covariate keeps less than this share of its length after the others are taken out: it says nothing new. */
const DEPENDENT = 1e-10;

export function residualsOn(
  values: readonly number[],
  covariates: readonly (readonly number[])[],
): Residuals {
  const basis: number[][] = [];
  for (const column of [values.map(() => 1), ...covariates]) {
    const rest = without(column, basis);
    const length = Math.sqrt(dot(rest, rest));
    if (length > DEPENDENT * Math.sqrt(dot(column, column))) basis.push(rest.map((value) => value / length));
  }
  return { residuals: without(values, basis), rank: basis.length - 1 };
}

/** Twice, for what one pass leaves by rounding. */
function without(values: readonly number[], basis: readonly number[][]): number[] {
  let rest = [...values];
  for (let pass = 0; pass < 2; pass++)
    for (const direction of basis) {
      const share = dot(rest, direction);
      rest = rest.map((value, at) => value - share * (direction[at] as number));
    }
  return rest;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}
