/** The eight points of the strict score, each by itself, in worlds whose coupling is known. */
import { describe, expect, it } from 'vitest';
import { plantedWorld, type WorldOptions } from '../../../fixtures/planted/planted-world.ts';
import { compareScores } from '../../../../src/synchrony/stats/bootstrap.ts';
import { drawExchanges } from '../../../../src/synchrony/strict/permutations.ts';
import { joinColumns, takeRows, zeros } from '../../../../src/numeric/matrix.ts';
import { pseudoPairs, shuffledPairs, lagPairs } from '../../../../src/synchrony/syncr2/nulls.ts';
import { paperScore } from '../../../../src/synchrony/syncr2/paper-mode.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { seededRandom } from '../../../../src/numeric/random.ts';
import { trainingRows } from '../../../../src/synchrony/strict/residuals.ts';
import { fitLayers, type FoldData, type LayerFit } from '../../../../src/synchrony/strict/fit.ts';
import { chooseRows } from '../../../../src/synchrony/strict/rows.ts';
import { strictScore, type StrictOptions } from '../../../../src/synchrony/strict/strict-score.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import type { StrictScore, TurnPairs } from '../../../../src/synchrony/types.ts';

const algebra = createPlainAlgebra();
const world = (options: Partial<WorldOptions> & Pick<WorldOptions, 'kind'>): TurnPairs =>
  plantedWorld({ scenarios: 8, episodes: 4, turns: 6, dims: 24, seed: 3, ...options }).pairs;

async function score(pairs: TurnPairs, options: Partial<StrictOptions> = {}): Promise<StrictScore> {
  const answer = await strictScore(pairs, {
    algebra,
    seed: 5,
    permutations: 99,
    bootstraps: 300,
    ...options,
  });
  if ('reason' in answer) throw new Error(answer.reason);
  return answer;
}

/** Adds to every row what its label says. */
function offset(m: Matrix, labels: Int32Array, by: (label: number, column: number) => number): Matrix {
  return {
    ...m,
    data: m.data.map((value, at) => value + by(labels[Math.floor(at / m.cols)] as number, at % m.cols)),
  };
}

describe('1. splits by scenario', () => {
  it('keeps every scenario on one side, and never moves one while the recording grows', () => {
    const small = chooseRows(world({ kind: 'none' }), 9);
    const large = chooseRows(world({ kind: 'none', scenarios: 20 }), 9);
    const sides = (rows: typeof small): Map<number, Set<number>> => {
      const found = new Map<number, Set<number>>();
      for (const [row, fold] of rows.fold.entries()) {
        const name = rows.scenarioNames[rows.scenario[row] as number] as number;
        found.set(name, (found.get(name) ?? new Set()).add(fold));
      }
      return found;
    };
    for (const [name, folds] of sides(small)) {
      expect(folds.size).toBe(1);
      expect(sides(large).get(name)).toEqual(folds);
    }
    expect(small.folds).toBeGreaterThan(2);
  });
});

describe('2. choices inside the training part', () => {
  it('neither penalty nor target layer depends on the rows that are held out', async () => {
    const pairs = world({ kind: 'coupled', layers: 3 });
    const rows = chooseRows(pairs, 5);
    const train = trainingRows(rows, rows.fold[0] as number);
    const test = Int32Array.from(rows.fold.keys()).filter((row) => rows.fold[row] === rows.fold[0]);
    const data: FoldData = { rows, train, test, sources: pairs.source, targets: pairs.target };
    const spoilt = pairs.target.map((layer) => {
      const copy = { ...layer, data: layer.data.slice() };
      for (const row of test) copy.data.fill(1e6, row * layer.cols, (row + 1) * layer.cols);
      return copy;
    });
    const clean = (await fitLayers(data, algebra))[1] as LayerFit;
    const other = (await fitLayers({ ...data, targets: spoilt }, algebra))[1] as LayerFit;
    expect(other.target).toBe(clean.target);
    expect(other.hat.data).toEqual(clean.hat.data);
    expect(other.predicted.data).toEqual(clean.predicted.data);
  });
});

describe('3. never clipped', () => {
  it('falls below 0 where there is nothing to find', async () => {
    const scores = [];
    for (const seed of [1, 2, 3]) scores.push((await score(world({ kind: 'none', seed }))).score);
    expect(Math.min(...scores)).toBeLessThan(0);
  });
});

describe('4. within episodes and turns', () => {
  it('does not see what belongs to an episode', async () => {
    const pairs = world({ kind: 'coupled' });
    const random = seededRandom(2);
    const levels = Array.from({ length: 32 * 24 }, () => 10 * random.normal());
    const level = (episode: number, column: number): number => levels[episode * 24 + column] as number;
    const moved = {
      ...pairs,
      source: pairs.source.map((layer) => offset(layer, pairs.episode, level)),
      target: pairs.target.map((layer) => offset(layer, pairs.episode, level)),
    };
    expect((await score(moved)).score).toBeCloseTo((await score(pairs)).score, 9);
  });

  it('does not take a drift over turns for coupling, also with unequal lengths, where the paper does', async () => {
    const pairs = world({ kind: 'none', shortest: 3, scenarios: 12 });
    const drift = (turn: number, column: number): number => 3 * Math.sin(turn + column);
    const drifting = {
      ...pairs,
      source: pairs.source.map((layer) => offset(layer, pairs.turn, drift)),
      target: pairs.target.map((layer) => offset(layer, pairs.turn, drift)),
    };
    const strict = await score(drifting);
    expect(strict.pValue).toBeGreaterThan(0.05);
    expect(Math.abs(strict.excess)).toBeLessThan(0.02);
    const paper = await paperScore(drifting, { algebra, seed: 1 });
    expect('reason' in paper ? 0 : paper.unclipped).toBeGreaterThan(0.2);
  });
});

describe('5. beyond history, beyond words', () => {
  it('takes shared text for text', async () => {
    const pairs = world({ kind: 'text', scenarios: 12 });
    expect((await score(pairs)).pValue).toBeGreaterThan(0.05);
    const blind = { ...pairs, history: zeros(pairs.n, 0) };
    expect((await score(blind)).pValue).toBeLessThan(0.05);
  });

  it('finds coupling by the words of the reply, and finds nothing beyond them', async () => {
    const pairs = world({ kind: 'reply-words', scenarios: 12 });
    const history = await score(pairs);
    const words = await score(pairs, { beyond: 'words' });
    expect(history.pValue).toBeLessThan(0.05);
    expect(history.ci.low).toBeGreaterThan(0);
    expect(words.pValue).toBeGreaterThan(0.05);
    expect(words.ci.low).toBeLessThanOrEqual(0);
  });

  it('bears text features that outnumber the rows', async () => {
    const pairs = world({ kind: 'coupled' });
    const random = seededRandom(4);
    const noise = zeros(pairs.n, 600);
    for (let at = 0; at < noise.data.length; at++) noise.data[at] = 0.1 * random.normal();
    const wide = { ...pairs, history: joinColumns([pairs.history, noise]) };
    expect((await score(wide)).pValue).toBeLessThan(0.05);
  });
});

describe('6. permutation', () => {
  it('exchanges episodes within their scenario, turn by turn', () => {
    const pairs = world({ kind: 'none', shortest: 3, episodes: 9 });
    const rows = chooseRows(pairs, 1);
    const { matches, choices } = drawExchanges(rows, 20, 1);
    for (const [episode, options] of matches.entries()) {
      for (const match of options) {
        for (const [k, own] of match.own.entries()) {
          const partner = match.partner[k] as number;
          expect(rows.episode[own]).toBe(episode);
          expect(rows.scenario[partner]).toBe(rows.scenario[own]);
          expect(rows.turn[partner]).toBe(rows.turn[own]);
        }
      }
    }
    const unmoved = choices[0] as Uint8Array;
    for (const [episode, choice] of unmoved.entries()) {
      const self = matches[episode]?.[choice];
      expect(self?.own).toEqual(self?.partner);
      expect(self?.weight).toBeCloseTo(1, 12);
    }
    expect(new Set(choices.map((choice) => choice.join())).size).toBeGreaterThan(15);
  });

  it('pays for looking at many layers', async () => {
    const pairs = world({ kind: 'coupled', rho: 0.25 });
    const noise = world({ kind: 'none', seed: 99, layers: 5 });
    const alone = await score(pairs, { permutations: 199 });
    const among = await score(
      { ...pairs, source: [...noise.source, ...pairs.source] },
      { permutations: 199 },
    );
    const own = (answer: StrictScore): number => answer.perLayer.at(-1)?.pValue as number;
    expect(own(among)).toBeGreaterThanOrEqual(own(alone));
    expect(among.perLayer).toHaveLength(6);
    expect(among.pValue).toBe(Math.min(...among.perLayer.map((layer) => layer.pValue)));
  });

  it('finds coupling at its own lag alone', async () => {
    const pairs = world({ kind: 'coupled', lag: 3, scenarios: 12, turns: 7 });
    expect((await score(pairs)).pValue).toBeGreaterThan(0.05);
    expect((await score(lagPairs(pairs, 3))).pValue).toBeLessThan(0.05);
  });
});

describe('7. intervals and differences', () => {
  it('tells coupling from none by a difference with its interval', async () => {
    const live = await score(world({ kind: 'coupled' }));
    const monologue = await score(world({ kind: 'none', seed: 4 }));
    expect(live.ci.low).toBeGreaterThan(0);
    expect(live.ci.low).toBeLessThan(live.excess);
    expect(live.ci.high).toBeGreaterThan(live.excess);
    expect(monologue.ci.low).toBeLessThanOrEqual(0);
    expect(monologue.ci.high).toBeGreaterThanOrEqual(0);
    const difference = compareScores(live, monologue, { bootstraps: 300, seed: 1 });
    if ('reason' in difference) throw new Error(difference.reason);
    expect(difference.difference).toBeCloseTo(live.excess - monologue.excess, 10);
    expect(difference.low).toBeGreaterThan(0);
    const none = compareScores(live, live, { bootstraps: 300, seed: 1 });
    expect('reason' in none ? 1 : none.low).toBeLessThanOrEqual(0);
  });

  it('gives the same answer for the same seed', async () => {
    const pairs = world({ kind: 'coupled' });
    expect(await score(pairs)).toEqual(await score(pairs));
  });
});

describe('8. nulls beside the score, and no number under the minimums', () => {
  it('loses the coupling when the partner is exchanged', async () => {
    const pairs = world({ kind: 'coupled', scenarios: 12 });
    expect((await score(shuffledPairs(pairs, 1))).pValue).toBeGreaterThan(0.05);
    expect((await score(pseudoPairs(pairs, 1))).pValue).toBeGreaterThan(0.05);
    expect((await score(pairs)).pValue).toBeLessThan(0.05);
  });

  it.each([
    ['samples', { scenarios: 6, episodes: 3, turns: 5 }],
    ['scenarios', { scenarios: 4, episodes: 8, turns: 6 }],
    ['episodes', { scenarios: 8, episodes: 2, turns: 9 }],
  ])('says that there are too few %s', async (what, size) => {
    const answer = await strictScore(world({ kind: 'coupled', ...size }), { algebra, seed: 1 });
    expect(answer).toEqual({ reason: expect.stringContaining(`too few ${what}`) as string });
  });

  it('says why input without variance, with NaN or without exchangeable episodes has no score', async () => {
    const pairs = world({ kind: 'coupled' });
    const answer = (change: Partial<TurnPairs>) => strictScore({ ...pairs, ...change }, { algebra, seed: 1 });
    const first = pairs.target[0] as Matrix;
    expect(await answer({ target: [{ ...first, data: first.data.map(() => 1) }] })).toHaveProperty('reason');
    expect(await answer({ source: [{ ...first, data: first.data.map(() => Number.NaN) }] })).toHaveProperty(
      'reason',
    );
    expect(await answer({ scenario: pairs.episode })).toHaveProperty('reason');
  });

  it('leaves out and counts target dims that do not vary', async () => {
    const pairs = world({ kind: 'coupled' });
    const first = pairs.target[0] as Matrix;
    const withConstant = joinColumns([
      first,
      { ...zeros(pairs.n, 2), data: new Float64Array(2 * pairs.n).fill(7) },
    ]);
    const answer = await score({ ...pairs, target: [withConstant] });
    expect(answer.degenerateDims).toBe(2);
    expect(answer.score).toBeCloseTo((await score(pairs)).score, 9);
  });
});

it('does not depend on the order of the rows', async () => {
  const pairs = world({ kind: 'coupled' });
  const order = Array.from({ length: pairs.n }, (_, row) => row).reverse();
  const label = (of: Int32Array): Int32Array => Int32Array.from(order, (row) => of[row] as number);
  const turned: TurnPairs = {
    n: pairs.n,
    source: pairs.source.map((layer) => takeRows(layer, order)),
    target: pairs.target.map((layer) => takeRows(layer, order)),
    history: takeRows(pairs.history, order),
    reply: takeRows(pairs.reply, order),
    episode: label(pairs.episode),
    scenario: label(pairs.scenario),
    pair: label(pairs.pair),
    turn: label(pairs.turn),
  };
  expect((await score(turned)).score).toBeCloseTo((await score(pairs)).score, 6);
});
