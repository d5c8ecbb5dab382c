/** The bootstrap over models beside all samples that there are. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/numeric/random.ts';
import { modelBootstrap } from '../../../../src/synchrony/stats/model-bootstrap.ts';
import { pearson } from '../../../../src/synchrony/stats/pearson.ts';
import type { PairTable } from '../../../../src/synchrony/stats/qap.ts';

/** Cells follow from the skill of both models and noise; `alone`: a model is in no pair with itself. */
function tables(models: number, { alone = false } = {}): [PairTable, PairTable] {
  const random = seededRandom(models, 5);
  const skill = Array.from({ length: models }, () => random.normal());
  const table = (share: number): PairTable =>
    skill.map((row, i) =>
      skill.map((column, j) => (alone && i === j ? undefined : share * (row + column) + random.normal())),
    );
  return [table(1), table(1)];
}

/** Percentiles of r over every one of the models^models samples. */
function overAll([x, y]: [PairTable, PairTable]): { low: number; high: number } {
  const models = x.length;
  const found: number[] = [];
  for (let sample = 0; sample < models ** models; sample++) {
    const drawn = Array.from({ length: models }, (_, at) => Math.floor(sample / models ** at) % models);
    const cells = drawn.flatMap((row) => drawn.map((column) => [x[row]?.[column], y[row]?.[column]]));
    const both = cells.filter((cell): cell is [number, number] => cell.every((value) => value !== undefined));
    const r = pearson(
      both.map(([value]) => value),
      both.map(([, value]) => value),
    );
    if ('r' in r) found.push(r.r);
  }
  found.sort((a, b) => a - b);
  const at = (share: number): number => found[Math.round(share * (found.length - 1))] as number;
  return { low: at(0.025), high: at(0.975) };
}

describe('the bootstrap over models', () => {
  it.each([{ alone: false }, { alone: true }])('has the percentiles of all samples: %o', (how) => {
    const planted = tables(5, how);
    const found = modelBootstrap(...planted, { samples: 20_000, seed: 3 });
    const slow = overAll(planted);
    if ('reason' in found) throw new Error(found.reason);
    expect(Math.abs(found.low - slow.low)).toBeLessThan(0.03);
    expect(Math.abs(found.high - slow.high)).toBeLessThan(0.01);
    expect(found.high - found.low).toBeGreaterThan(0.2);
  });

  it('is the same for the same seed, another for another one', () => {
    const planted = tables(6);
    expect(modelBootstrap(...planted, { seed: 1 })).toEqual(modelBootstrap(...planted, { seed: 1 }));
    expect(modelBootstrap(...planted, { seed: 1 })).not.toEqual(modelBootstrap(...planted, { seed: 2 }));
  });

  it('is not given for three models, nor where a table is constant', () => {
    expect(modelBootstrap(...tables(3), { seed: 1 })).toEqual({
      reason: 'a bootstrap takes 4 models, there are 3',
    });
    const [x] = tables(4);
    const flat = x.map((row) => row.map(() => 1));
    expect(modelBootstrap(x, flat, { seed: 1 })).toEqual({
      reason: 'most samples of the models have no correlation',
    });
  });
});
