/** Families of models, rivals of synchrony, and single episodes within models, from planted tables. */
import { describe, expect, it } from 'vitest';
import { analyzeTables } from '../../../src/analysis/analyze-tables.ts';
import { withinModels } from '../../../src/analysis/within-models.ts';
import { seededRandom } from '../../../src/numeric/random.ts';
import { plantedModels as planted } from '../../fixtures/planted/planted-models.ts';

const OPTIONS = { covariates: new Map(), draws: 199, seed: 1 };

describe('an analysis of families, rivals and episodes', () => {
  it('correlates within each family of three models or more as well, with their cells alone', () => {
    const tables = planted(7, 0.8, 2);
    const families = new Map(
      tables.models.map((name, at) => [name, at < 4 ? 'large' : at < 6 ? 'pair' : '']),
    );
    const { associations } = analyzeTables(tables, { ...OPTIONS, families });
    expect(associations.map(({ family, models, cells }) => [family, models, cells])).toEqual([
      [undefined, 7, 42],
      [undefined, 7, 42],
      ['large', 4, 12],
      ['large', 4, 12],
    ]);
    const alone = analyzeTables(
      {
        ...tables,
        models: tables.models.slice(0, 4),
        figures: tables.figures.map((one) => ({
          ...one,
          table: one.table.slice(0, 4).map((row) => row.slice(0, 4)),
        })),
        outcomes: tables.outcomes.map(({ name, both, predicted }) => ({
          name,
          both: both.slice(0, 4).map((row) => row.slice(0, 4)),
          predicted: predicted.slice(0, 4).map((row) => row.slice(0, 4)),
        })),
      },
      OPTIONS,
    );
    expect(associations[2]?.pearson).toBe(alone.associations[0]?.pearson);
    expect(associations[2]?.pValue).toBe(alone.associations[0]?.pValue);
  });

  it('splits the variance of figures of states alone, not of those of words', () => {
    const tables = planted(5, 0.8, 3);
    const [excess] = tables.figures;
    if (!excess) throw new Error('no figure');
    const figures = [excess, { ...excess, name: 'word overlap', isRival: true }];
    const { associations, relations } = analyzeTables({ ...tables, figures }, OPTIONS);
    expect(associations.map(({ figure, isRival }) => [figure, isRival])).toEqual([
      ['excess', false],
      ['excess', false],
      ['word overlap', true],
      ['word overlap', true],
    ]);
    expect(relations.map(({ figure }) => figure)).toEqual(['excess']);
  });

  /** 4 models × 6 scenarios × 5 episodes; better models have more of both, whatever happens within them. */
  const points = (slope: number, seed: number) => {
    const random = seededRandom(seed, 43);
    return [0, 1, 2, 3].flatMap((model) =>
      [0, 1, 2, 3, 4, 5].flatMap((scenario) => {
        const ease = random.normal();
        return [0, 1, 2, 3, 4].map(() => {
          const more = random.normal();
          const value = 5 * model + ease + slope * more + random.normal();
          return {
            outcome: 'o',
            models: `m${model}`,
            scenario: `s${scenario}`,
            synchrony: 3 * model + more,
            value,
          };
        });
      }),
    );
  };
  const slopesOf = (slope: number, studies: number): { slope: number; pValue: number }[] =>
    Array.from({ length: studies }, (_, seed) => {
      const [fit] = withinModels(points(slope, seed));
      if (!fit || 'reason' in fit) throw new Error(fit?.reason);
      return fit;
    });

  it('finds the slope within models, and none where only models differ', () => {
    const found = slopesOf(0.5, 60).map(({ slope }) => slope);
    expect(found.reduce((sum, slope) => sum + slope, 0) / 60).toBeCloseTo(0.5, 1);
    const nothing = slopesOf(0, 200).filter(({ pValue }) => pValue <= 0.05).length / 200;
    expect(nothing).toBeLessThan(0.12);
    expect(nothing).toBeGreaterThan(0.01);
  });

  it('says why a constant outcome has no slope', () => {
    // Models differ, and rounding leaves no exact 0 around their means.
    const constant = points(0, 1).map((point) => ({
      ...point,
      value: point.models === 'm1' ? 0.1823 : 0.4573,
    }));
    expect(withinModels(constant)).toEqual([
      { outcome: 'o', episodes: 120, scenarios: 6, reason: 'x is constant, or y is a line of it' },
    ]);
  });
});
