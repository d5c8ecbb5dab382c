/**
 * Interval of the correlation of two tables over pairs of models, by leaving out one model at a time with all of its
 * pairs.
 * Formula: z = artanh r, z₋ₖ without model k; se² = (m − 2) / (2 m) · Σ (z₋ₖ − mean)²;
 * interval tanh(z ± t(0.975, m − 1) · se).
 * The factor is that of dyads, for each of which is left out twice.
 * Range: −1 to 1.
 * Reference: Snijders, Borgatti, 1999.
 * No interval: fewer than four models, or an r that is ±1 or that a set of the models does not have.
 */
import type { Interval, NoScore } from '../types.ts';
import { tableCorrelation, type PairTable } from './qap.ts';
import { studentQuantile } from './student.ts';

export function modelInterval(x: PairTable, y: PairTable): Interval | NoScore {
  const models = x.length;
  if (models < 4) return { reason: `an interval takes four models, there are ${models}` };
  const z = Math.atanh(tableCorrelation(x, y) ?? Number.NaN);
  const without = [...x.keys()].map((model) =>
    Math.atanh(tableCorrelation(leftOut(x, model), leftOut(y, model)) ?? Number.NaN),
  );
  if (![z, ...without].every(Number.isFinite)) return { reason: 'some of the models have no correlation' };
  const mean = without.reduce((sum, value) => sum + value, 0) / models;
  const squares = without.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const half = Math.sqrt(((models - 2) / (2 * models)) * squares) * studentQuantile(0.05, models - 1);
  return { low: Math.tanh(z - half), high: Math.tanh(z + half) };
}

function leftOut(table: PairTable, model: number): PairTable {
  return table.filter((_, at) => at !== model).map((row) => row.filter((_, at) => at !== model));
}
