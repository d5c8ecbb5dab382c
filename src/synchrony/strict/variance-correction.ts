/**
 * How much wider moved evidence is to be. What is left of rows hangs together along the text, in both agents and in all folds alike; where an exchange
 * moves episodes it tears this apart. So targets that nobody drives, noise and text times coefficients of the size that the penalty stands
 * for, go through the same folds, as they are and exchanged; and the widening is what makes
 *
 *   variance of kept + widening · moved = variance of the evidence as it is
 *
 * with kept and moved the evidence of pairs of episodes that both keep their partner and of all others. Columns s < t give Σ over folds
 * ⟨H, wₛ wₜᵀ + wₜ wₛᵀ⟩ of held-out × training rows, of mean 0 and twice the variance of one column's own: n columns make n² / 2 of them.
 */
import type { Exchanges, Match } from './permutations.ts';
import { groupBy } from '../group-by.ts';
import {
  addTo,
  copyOf,
  joinColumns,
  splitColumns,
  subtractFrom,
  takeBlock,
  takeRows,
  transpose,
  zeros,
} from '../../numeric/matrix.ts';
import { seededRandom, type Random } from '../../numeric/random.ts';
import { centreByEpisode } from './residuals.ts';
import type { StrictRows } from './rows.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

const COLUMNS = 96;
/** Each has its own share of the columns: together they settle the mean. */
const EXCHANGES = 8;

export interface Undriven {
  /** [n, columns], episode means out. */
  noise: Matrix;
  /** Text times standard normal coefficients [n, columns]. */
  byText: Matrix;
  /** None at all; then, of every exchange, all rows and those of episodes that keep their partner. */
  moves: Move[];
  /** Per source layer and move, summed over folds: products of every two columns. */
  products: Matrix[][];
}

interface Move {
  columns: number[];
  /** Per row: the one that comes in its place, −1 for none, and what it counts by. */
  from: Int32Array;
  weight: Float64Array;
}

export interface UndrivenInput {
  rows: StrictRows;
  /** [n, p] */
  text: Matrix;
  layers: number;
  exchanges: Exchanges;
  seed: number;
}

export async function drawUndriven(input: UndrivenInput, algebra: LinearAlgebra): Promise<Undriven> {
  const { rows, text, exchanges } = input;
  const random = seededRandom(input.seed, 7);
  const noise = centreByEpisode(normals(rows.rows.length, random), rows.episode);
  const byText = await algebra.multiply(text, normals(text.cols, random));
  const moves = movesOf(rows, exchanges);
  const products = Array.from({ length: input.layers }, () =>
    moves.map(({ columns }) => zeros(columns.length, columns.length)),
  );
  return { noise, byText, moves, products };
}

function normals(rows: number, random: Random): Matrix {
  return { rows, cols: COLUMNS, data: Float64Array.from({ length: rows * COLUMNS }, () => random.normal()) };
}

function movesOf(rows: StrictRows, exchanges: Exchanges): Move[] {
  const columns = [...Array(COLUMNS).keys()];
  const own = moveOf(rows, exchanges, { choice: exchanges.choices[0] as Uint8Array, columns });
  const others = exchanges.choices.slice(1, 1 + EXCHANGES).flatMap((choice, at): Move[] => {
    const share = columns.filter((column) => column % EXCHANGES === at);
    const move = moveOf(rows, exchanges, { choice, columns: share });
    return [move, { ...move, from: move.from.map((row, to) => (row === to ? row : -1)) }];
  });
  return [own, ...others];
}

function moveOf(
  rows: StrictRows,
  { matches }: Exchanges,
  { choice, columns }: { choice: Uint8Array; columns: number[] },
): Move {
  const n = rows.rows.length;
  const move = { columns, from: new Int32Array(n).fill(-1), weight: new Float64Array(n) };
  for (const [episode, place] of choice.entries()) {
    const match = matches[episode]?.[place] as Match;
    for (const [at, row] of match.own.entries()) {
      move.from[row] = match.partner[at] as number;
      move.weight[row] = match.weight;
    }
  }
  return move;
}

export interface WideningFold {
  train: Int32Array;
  test: Int32Array;
  /** Per source layer: training targets → what is foretold of the test rows [test, train]. */
  hats: Matrix[];
  /** Of the text, per target layer. */
  penalties: number[];
  residualsAt(penalty: number, m: Matrix): Promise<Matrix>;
}

/** Sends the columns through one fold. */
export async function addFoldToUndriven(
  undriven: Undriven,
  fold: WideningFold,
  algebra: LinearAlgebra,
): Promise<void> {
  const rest = await residualColumns(undriven, fold);
  const all = undriven.moves.map((move) => movedRows(rest, move));
  const train = joinColumns(all.map((m) => takeRows(m, fold.train)));
  const test = all.map((m) => transpose(takeRows(m, fold.test)));
  for (const [layer, hat] of fold.hats.entries()) {
    const foretold = splitColumns(
      await algebra.multiply(hat, train),
      all.map((m) => m.cols),
    );
    for (const [at, sum] of (undriven.products[layer] as Matrix[]).entries())
      addTo(sum, await algebra.multiply(test[at] as Matrix, foretold[at] as Matrix));
  }
}

/** Each target layer has its share of the columns. */
async function residualColumns({ noise, byText }: Undriven, fold: WideningFold): Promise<Matrix> {
  const { penalties } = fold;
  const out = zeros(noise.rows, COLUMNS);
  const every = [...Array(noise.rows).keys()];
  const layerOf = (column: number): number => Math.floor((column * penalties.length) / COLUMNS);
  for (const [penalty, columns] of groupBy(Array(COLUMNS).keys(), (at) => penalties[layerOf(at)] as number)) {
    const size = penalty > 0 ? 1 / Math.sqrt(penalty) : 0;
    const states = takeBlock(noise, [every, columns]);
    const text = takeBlock(byText, [every, columns]);
    addTo(states, { ...text, data: text.data.map((value) => size * value) });
    const { data, cols } = await fold.residualsAt(penalty, states);
    for (const row of every)
      for (const [at, column] of columns.entries())
        out.data[row * COLUMNS + column] = data[row * cols + at] as number;
  }
  return out;
}

function movedRows(m: Matrix, { columns, from, weight }: Move): Matrix {
  const out = zeros(m.rows, columns.length);
  for (const [to, row] of from.entries()) {
    if (row < 0) continue;
    for (const [at, column] of columns.entries())
      out.data[to * out.cols + at] = (weight[to] as number) * (m.data[row * m.cols + column] as number);
  }
  return out;
}

/** Per source layer. */
export function wideningsOf({ products }: Undriven): number[] {
  return products.map(([own, ...exchanged]) => {
    const sums = { moved: 0, both: 0, kept: 0 };
    for (let at = 0; at < exchanged.length; at += 2) {
      const [all, kept] = exchanged.slice(at) as [Matrix, Matrix];
      const moved = subtractFrom(copyOf(all), kept);
      sums.moved += pairMean(moved, moved);
      sums.both += pairMean(moved, kept);
      sums.kept += pairMean(kept, kept);
    }
    return solved(sums, (exchanged.length / 2) * pairMean(own as Matrix, own as Matrix));
  });
}

/** w > 0 with w² · moved + 2w · both + kept = wanted; 1 where nothing moves. */
function solved(
  { moved, both, kept }: { moved: number; both: number; kept: number },
  wanted: number,
): number {
  const missing = wanted - kept;
  return moved > 0 && missing > 0 ? (Math.sqrt(both * both + moved * missing) - both) / moved : 1;
}

/** Mean over s < t of (aₛₜ + aₜₛ)(bₛₜ + bₜₛ). */
function pairMean(a: Matrix, b: Matrix): number {
  const size = a.rows;
  const both = ({ data }: Matrix, s: number, t: number): number =>
    (data[s * size + t] as number) + (data[t * size + s] as number);
  let sum = 0;
  for (let s = 0; s < size; s++) for (let t = 0; t < s; t++) sum += both(a, s, t) * both(b, s, t);
  return (2 * sum) / (size * (size - 1));
}
