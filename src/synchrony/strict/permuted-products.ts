/**
 * Σ h[r, c] · g[partner of r, partner of c] under every exchange of episodes, for several h at once. Episodes are exchanged within blocks, so for
 * every two blocks the products of each two episodes of A with each two that B may come from are one matrix product; an exchange then picks
 * one entry per pair of episodes.
 *
 *   blocks S, T of a and b episodes, s and t turns:   table [a·b, a·b·h] = G [a·b, s·t] · H [a·b·h, s·t]ᵀ
 *   G, row (e′, f′): g between B's episodes e′ and f′, turn by turn;   H, row (e, f, i): hᵢ between A's episodes e and f
 *
 * A turn that an episode lacks is 0 in its rows, so only turns that both have are counted.
 */
import type { Exchanges } from './permutations.ts';
import { groupBy } from '../group-by.ts';
import { zeros } from '../../numeric/matrix.ts';
import type { StrictRows } from './rows.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

/** One side of a fold: the blocks of episodes that stand on it. */
export interface Side {
  blocks: Block[];
}

interface Block {
  episodes: number[];
  turns: number;
  /** Row of each episode and turn among all rows, and its place in the side [episodes, turns]; −1 for a turn it lacks. */
  row: Int32Array;
  place: Int32Array;
  /** Own episode, partner → weight [episodes, episodes]. */
  weight: Float64Array;
}

export interface MovedInput {
  /** [left rows, right rows] each. Where both sides are one object they are symmetric, and half is enough. */
  h: Matrix[];
  /** [n, n] */
  g: Matrix;
  left: Side;
  right: Side;
  /**
   * Leaves out pairs of episodes that both keep their partner, in which the coupling is still there, and scales the others up: so that the mean
   * of the sum stays, or the spread of a sum of mean 0. Left out: every pair counts.
   */
  apart?: 'mean' | 'spread';
  /** [exchanges, h]: where such pairs are added instead, as they are. */
  kept?: Matrix;
}

/** @param side the rows that stand on the side, in order */
export function sideOf(rows: StrictRows, exchanges: Exchanges, side: Int32Array): Side {
  const rowsOf = groupBy(side, (row) => rows.episode[row] as number);
  const place = new Int32Array(rows.rows.length);
  for (const [at, row] of side.entries()) place[row] = at;
  const here = exchanges.blocks.filter(([first]) => rowsOf.has(first as number));
  const blocks = here.map((episodes): Block => {
    const own = episodes.map((episode) => rowsOf.get(episode) as number[]);
    const turns = 1 + Math.max(...own.flat().map((row) => rows.turn[row] as number));
    const row = new Int32Array(episodes.length * turns).fill(-1);
    for (const [at, of] of own.entries()) for (const r of of) row[at * turns + (rows.turn[r] as number)] = r;
    const weights = episodes.flatMap(
      (episode) => exchanges.matches[episode]?.map(({ weight }) => weight) ?? [],
    );
    return {
      episodes,
      turns,
      row,
      place: row.map((r) => (r < 0 ? -1 : (place[r] as number))),
      weight: Float64Array.from(weights),
    };
  });
  return { blocks };
}

/** → [exchanges, h] */
export async function movedProducts(
  exchanges: Exchanges,
  input: MovedInput,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const totals = zeros(exchanges.choices.length, input.h.length);
  const symmetric = input.left === input.right;
  for (const [at, left] of input.left.blocks.entries()) {
    for (const right of symmetric ? input.right.blocks.slice(at) : input.right.blocks) {
      const table = await pairTable(input, { left, right }, algebra);
      const scales = scalesOf(input, left, right);
      const times = symmetric && left !== right ? 2 : 1;
      const timed = scales.map((scale) => times * scale);
      addChoices(totals, table, { exchanges, left, right, scales: timed, kept: input.kept ?? totals });
    }
  }
  return totals;
}

/** [partners left · partners right, episodes left · episodes right · h] */
async function pairTable(
  { h, g }: MovedInput,
  { left, right }: { left: Block; right: Block },
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const pairs = left.episodes.length * right.episodes.length;
  const cols = left.turns * right.turns;
  const partners = zeros(pairs, cols);
  fillPairs(partners, g, { rows: left.row, cols: right.row, left, right, step: 1, first: 0 });
  const own = zeros(pairs * h.length, cols);
  for (const [i, m] of h.entries())
    fillPairs(own, m, { rows: left.place, cols: right.place, left, right, step: h.length, first: i });
  return algebra.multiplyTransposed(partners, own);
}

interface Fill {
  /** [episodes, turns] */
  rows: Int32Array;
  cols: Int32Array;
  left: Block;
  right: Block;
  /** Pair (e, f) goes to row (e · episodes right + f) · step + first. */
  step: number;
  first: number;
}

function fillPairs(out: Matrix, m: Matrix, { rows, cols, left, right, step, first }: Fill): void {
  const [s, t] = [left.turns, right.turns];
  let pair = first;
  for (let e = 0; e < left.episodes.length; e++) {
    const own = rows.subarray(e * s, (e + 1) * s);
    for (let f = 0; f < right.episodes.length; f++, pair += step)
      fillTurns(out.data, m, { at: pair * out.cols, rows: own, cols: cols.subarray(f * t, (f + 1) * t) });
  }
}

function fillTurns(
  out: Float64Array,
  m: Matrix,
  of: { at: number; rows: Int32Array; cols: Int32Array },
): void {
  const { rows, cols } = of;
  const { data } = m;
  let at = of.at;
  for (let r = 0; r < rows.length; r++) {
    const start = (rows[r] as number) * m.cols;
    for (let c = 0; c < cols.length; c++, at++) {
      const col = cols[c] as number;
      if (start >= 0 && col >= 0) out[at] = data[start + col] as number;
    }
  }
}

/** What a pair of episodes counts by when not both keep their partner, and when both do: of two episodes, and of one with itself. */
function scalesOf({ apart }: MovedInput, left: Block, right: Block): number[] {
  if (apart === undefined) return [1, 1, 1];
  const [a, b] = [left.episodes.length, right.episodes.length];
  const bothKeep = left === right ? 1 / (a * Math.max(1, a - 1)) : 1 / (a * b);
  const scale = (kept: number): number =>
    kept >= 1 ? 0 : apart === 'mean' ? 1 / (1 - kept) : 1 / Math.sqrt(1 - kept);
  return [scale(bothKeep), scale(1 / a), 0];
}

interface Choosing {
  exchanges: Exchanges;
  left: Block;
  right: Block;
  /** See `scalesOf`. */
  scales: number[];
  /** See `MovedInput`. */
  kept: Matrix;
}

function addChoices(totals: Matrix, table: Matrix, of: Choosing): void {
  const { exchanges, left, right, scales } = of;
  const [moved, itself, kept] = scales as [number, number, number];
  const [a, b] = [left.episodes.length, right.episodes.length];
  const width = totals.cols;
  for (const [k, choice] of exchanges.choices.entries()) {
    for (let e = 0; e < a; e++) {
      const p = choice[left.episodes[e] as number] as number;
      for (let f = 0; f < b; f++) {
        const q = choice[right.episodes[f] as number] as number;
        const both = p === e && q === f;
        const { data } = both ? of.kept : totals;
        const apart = both ? kept : left === right && e === f ? itself : moved;
        const weight = apart * (left.weight[e * a + p] as number) * (right.weight[f * b + q] as number);
        let from = (p * b + q) * table.cols + (e * b + f) * width;
        for (let to = k * width; to < (k + 1) * width; to++, from++)
          data[to] = (data[to] as number) + weight * (table.data[from] as number);
      }
    }
  }
}
