/**
 * How much wider the evidence is than its exchanges, beside what it is exactly: every unit of noise and of the text's coefficients is refitted
 * scenario by scenario, and the evidence is a quadratic form in them whose variance is known.
 */
import { describe, expect, it } from 'vitest';
import { plantedWorld } from '../../../fixtures/planted/planted-world.ts';
import { drawExchanges, type Exchanges, type Match } from '../../../../src/synchrony/strict/permutations.ts';
import {
  joinColumns,
  product,
  productTransposed,
  takeRows,
  transpose,
  zeros,
} from '../../../../src/numeric/matrix.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import {
  centreByEpisode,
  fitResidualiser,
  heldOutRows,
  trainingRows,
} from '../../../../src/synchrony/strict/residuals.ts';
import { chooseRows, type StrictRows } from '../../../../src/synchrony/strict/rows.ts';
import {
  addFoldToUndriven,
  drawUndriven,
  wideningsOf,
} from '../../../../src/synchrony/strict/variance-correction.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import { leftOutResiduals } from '../slow-text-twin.ts';

const algebra = createPlainAlgebra();

interface World {
  rows: StrictRows;
  exchanges: Exchanges;
  text: Matrix;
  penalty: number;
  folds: { fold: number; train: Int32Array; test: Int32Array; hat: Matrix }[];
}

function worldOf(size: { scenarios: number; episodes: number; shortest?: number }, penalty: number): World {
  const { pairs } = plantedWorld({
    kind: 'text',
    turns: 5,
    dims: 8,
    textRank: 12,
    textStep: 1.4,
    seed: 3,
    ...size,
  });
  const rows = chooseRows(pairs, 1);
  const centred = (m: Matrix): Matrix => centreByEpisode(takeRows(m, rows.rows), rows.episode);
  const [text, source] = [centred(pairs.history), centred(pairs.source[0] as Matrix)];
  const folds = [...new Set(rows.fold)].map((fold) => {
    const [train, test] = [trainingRows(rows, fold), heldOutRows(rows, fold)];
    const rest = leftOutResiduals({ rows, fold, text, states: source }, penalty);
    return { fold, train, test, hat: productTransposed(takeRows(rest, test), takeRows(rest, train)) };
  });
  return { rows, exchanges: drawExchanges(rows, 8, 1), text, penalty, folds };
}

/** Rows that come in the place of others, what they weigh, and whether their episode stays. */
interface Row {
  from: number;
  weight: number;
  stays: boolean;
}

function rowsUnder({ rows, exchanges }: World, choice: Uint8Array): Row[] {
  return Array.from(rows.episode, (episode, row) => {
    const match = exchanges.matches[episode]?.[choice[episode] as number] as Match;
    const at = match.own.indexOf(row);
    const stays = exchanges.choices[0]?.[episode] === choice[episode];
    return at < 0
      ? { from: row, weight: 0, stays }
      : { from: match.partner[at] as number, weight: match.weight, stays };
  });
}

type Forms = Record<'kept' | 'moved', Matrix>;

/**
 * The evidence of a column is xᵀ M x, x what its noise and its coefficients are in units of their spread: M under an exchange, of episodes that
 * both keep their partner and of others. `rests` are what is left of every unit of x, fold by fold.
 */
function formsUnder(world: World, rests: Matrix[], choice: Uint8Array): Forms {
  const under = rowsUnder(world, choice);
  const size = rests[0]?.cols as number;
  const forms = { kept: zeros(size, size), moved: zeros(size, size) };
  for (const [at, { train, test, hat }] of world.folds.entries()) {
    const rest = rests[at] as Matrix;
    for (const left of [true, false])
      for (const right of [true, false]) {
        const a = sideOf(rest, { of: test, under, stays: left });
        const b = sideOf(rest, { of: train, under, stays: right });
        addTo(forms[left && right ? 'kept' : 'moved'], product(transpose(a), product(hat, b)));
      }
  }
  return forms;
}

/** Rows of a side as the exchange has them; those of episodes that stay, or of the others. */
function sideOf(
  rest: Matrix,
  { of, under, stays }: { of: Int32Array; under: Row[]; stays: boolean },
): Matrix {
  const out = zeros(of.length, rest.cols);
  for (const [place, row] of of.entries()) {
    const source = under[row] as Row;
    if (source.stays !== stays) continue;
    const { from, weight } = source;
    for (let c = 0; c < rest.cols; c++)
      out.data[place * rest.cols + c] = weight * (rest.data[from * rest.cols + c] as number);
  }
  return out;
}

function addTo(m: Matrix, other: Matrix): void {
  for (const [at, value] of other.data.entries()) m.data[at] = (m.data[at] as number) + value;
}

/** Of xᵀ M x, normal x. */
function varianceOf(form: Matrix): number {
  const turned = transpose(form);
  return form.data.reduce((sum, value, at) => sum + (value + (turned.data[at] as number)) ** 2 / 2, 0);
}

/** Exact: what the evidence varies by as it is, and under exchanges whose moved part is wider by so much, on average. */
function variances(world: World): { own: number; exchanged: (widening: number) => number } {
  const units = joinColumns([
    identity(world.rows.rows.length),
    scaled(world.text, 1 / Math.sqrt(world.penalty)),
  ]);
  const states = centreByEpisode(units, world.rows.episode);
  const rests = world.folds.map(({ fold }) => leftOutResiduals({ ...world, fold, states }, world.penalty));
  const [own, ...others] = world.exchanges.choices.map((choice) => formsUnder(world, rests, choice));
  const exchanged = (by: number): number =>
    others.reduce((sum, { kept, moved }) => sum + varianceOf(plus(kept, scaled(moved, by))), 0) /
    others.length;
  return { own: varianceOf((own as Forms).kept), exchanged };
}

function identity(size: number): Matrix {
  const out = zeros(size, size);
  for (let k = 0; k < size; k++) out.data[k * size + k] = 1;
  return out;
}

const scaled = (m: Matrix, by: number): Matrix => ({ ...m, data: m.data.map((value) => by * value) });

function plus(a: Matrix, b: Matrix): Matrix {
  const out = { ...a, data: a.data.slice() };
  addTo(out, b);
  return out;
}

/** Mean over draws, for one is good to a tenth. */
async function meanWidening({ rows, exchanges, text, penalty, folds }: World): Promise<number> {
  const found: number[] = [];
  for (let seed = 0; seed < 16; seed++) {
    const undriven = await drawUndriven({ rows, text, layers: 1, exchanges, seed }, algebra);
    for (const { fold, train, test, hat } of folds) {
      const { residualsAt } = await fitResidualiser({ rows, fold, text, algebra });
      await addFoldToUndriven(
        undriven,
        { train, test, hats: [hat], penalties: [penalty, penalty], residualsAt },
        algebra,
      );
    }
    found.push(wideningsOf(undriven)[0] as number);
  }
  return Math.sqrt(found.reduce((sum, one) => sum + one * one, 0) / found.length);
}

describe.each([
  ['four episodes per scenario', { scenarios: 7, episodes: 4 }],
  ['two episodes per scenario', { scenarios: 12, episodes: 2 }],
  ['unequal lengths', { scenarios: 7, episodes: 4, shortest: 3 }],
])('the widening, %s', (_, size) => {
  it('makes exchanges as wide as the evidence', async () => {
    const world = worldOf(size, 3);
    const { own, exchanged } = variances(world);
    const widening = await meanWidening(world);
    expect(exchanged(1) / own).toBeLessThan(0.75);
    expect(exchanged(widening) / own).toBeGreaterThan(0.9);
    expect(exchanged(widening) / own).toBeLessThan(1.1);
  }, 120_000);
});

describe('the widening of folds one by one', () => {
  it('is too little: their residuals have the errors of the text in common', () => {
    const world = worldOf({ scenarios: 7, episodes: 4 }, 3);
    const { own, exchanged } = variances(world);
    const folds = world.folds.map((fold) => variances({ ...world, folds: [fold] }));
    const sum = (of: (fold: (typeof folds)[0]) => number): number =>
      folds.reduce((total, fold) => total + of(fold), 0);
    const widening = Math.sqrt(sum((fold) => fold.own) / sum((fold) => fold.exchanged(1)));
    expect(exchanged(widening) / own).toBeLessThan(0.85);
  }, 60_000);
});

describe('without text', () => {
  it('there is next to no widening', async () => {
    const world = worldOf({ scenarios: 7, episodes: 4 }, 1e9);
    expect(await meanWidening(world)).toBeGreaterThan(0.95);
    expect(await meanWidening(world)).toBeLessThan(1.05);
  }, 60_000);
});
