/** Intervals over models, by planted tables whose correlation is known. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/numeric/random.ts';
import { modelInterval } from '../../../../src/synchrony/stats/model-jackknife.ts';
import { pearson } from '../../../../src/synchrony/stats/pearson.ts';

/** Two tables whose cells are the sums of effects of row and column, correlated by `rho`. */
function planted(models: number, rho: number, seed: number): [number[][], number[][]] {
  const random = seededRandom(seed, 31);
  const draw = (): number[] => Array.from({ length: models }, () => random.normal());
  const [a, b, c, d] = [draw(), draw(), draw(), draw()];
  const sum = (rows: number[], columns: number[]): number[][] =>
    rows.map((row) => columns.map((column) => row + column));
  const x = sum(a, b);
  const rest = sum(c, d);
  const y = x.map((row, i) =>
    row.map((value, j) => rho * value + Math.sqrt(1 - rho ** 2) * (rest[i]?.[j] ?? 0)),
  );
  return [x, y];
}

describe('the interval over models', () => {
  it('has an interval that covers the true correlation in about 95 % of studies; one over cells covers it far less often', () => {
    let [overModels, overCells] = [0, 0];
    for (let study = 0; study < 200; study++) {
      const [x, y] = planted(9, 0.6, study);
      const found = modelInterval(x, y);
      const bare = pearson(x.flat(), y.flat());
      if ('reason' in found || 'reason' in bare) throw new Error('no interval');
      overModels += Number(found.low <= 0.6 && 0.6 <= found.high);
      overCells += Number((bare.interval?.low ?? 1) <= 0.6 && 0.6 <= (bare.interval?.high ?? 0));
    }
    expect(overModels / 200).toBeGreaterThan(0.88);
    expect(overCells / 200).toBeLessThan(0.75);
  });

  it('has the error that the formula gives by hand for the r without each model', () => {
    const [x, y] = planted(5, 0.3, 2);
    const cut = (table: number[][], out: number): number[] =>
      table.flatMap((row, i) => row.filter((_value, j) => i !== out && j !== out));
    const z = (out: number): number => {
      const found = pearson(cut(x, out), cut(y, out));
      return 'reason' in found ? Number.NaN : Math.atanh(found.r);
    };
    const without = [0, 1, 2, 3, 4].map(z);
    const mean = without.reduce((sum, value) => sum + value, 0) / 5;
    const error = Math.sqrt((3 / 10) * without.reduce((sum, value) => sum + (value - mean) ** 2, 0));
    const found = modelInterval(x, y);
    if ('reason' in found) throw new Error(found.reason);
    // scipy.stats.t.ppf(0.975, 4)
    expect((Math.atanh(found.high) - Math.atanh(found.low)) / 2).toBeCloseTo(2.7764451051977987 * error, 9);
  });

  it('is not given for three models, nor where r is 1', () => {
    const [x, y] = planted(3, 0.5, 1);
    expect(modelInterval(x, y)).toEqual({ reason: 'an interval takes four models, there are 3' });
    const [four] = planted(4, 0.5, 1);
    expect(modelInterval(four, four)).toEqual({ reason: 'some of the models have no correlation' });
  });
});
