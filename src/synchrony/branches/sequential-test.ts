/**
 * A sequential test of branches, valid at every history: does B's state move in line with A's? Histories come in order
 * of arrival. The regression is fitted to earlier histories, so under the null (B's states are exchangeable within a
 * history) all pairings of a history's alternatives are equally likely.
 *
 *   s(π) = Σ_k ⟨ŷ_k, y_π(k)⟩    over all pairings π of the K alternatives, ŷ the ridge prediction from past histories
 *   u(π) = mid-rank of s(π) among the pairings, in (0, 1); equal pairings tie
 *   e_λ  = exp(λ u(identity)) / mean over π of exp(λ u(π)),   mean 1 under the null
 *   E    = mean over λ of Π e_λ over histories: a test martingale
 *   p    = 1 / max E so far: P(p ≤ α) ≤ α at any stopping time (Ville)
 *
 * All layers enter one regression with equal weight. Standard deviations are those of past histories.
 * Reference: Ville, 1939; Vovk, Wang, E-values, 2021; Koning, soft-rank e-values, 2023.
 * No value: before the fifth history with distinct alternatives.
 */
import { zeros } from '../../numeric/matrix.ts';
import { seededRandom, shuffled } from '../../numeric/random.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore } from '../types.ts';
import { differ, type Branches } from './histories.ts';

export interface SequentialVerdict {
  /** Number of histories tested: those with distinct alternatives, without the first ones. */
  histories: number;
  /** Natural logarithm of E after the last history. */
  logE: number;
  /** Anytime-valid p-value: 1 over the largest E so far, at most 1. */
  pValue: number;
}

export interface SequentialOptions {
  algebra: LinearAlgebra;
  seed: number;
}

/** The first histories are only fitted, not tested. */
const WARM_UP = 4;
/** The regression is refitted once the number of histories has grown by this factor, on the latest MOST_FITTED. */
const GROWTH = 1.3;
const MOST_FITTED = 96;
/** After so many histories the test has decided or never will. */
const MOST_TESTED = 400;
const BETS = [1, 2, 4, 8, 16];
/**
 * Most pairings of the alternatives of A with those of B that are tried in a history: 6! = 720, all of them up to six
 * alternatives; with more, 720 random ones.
 */
const MOST_PAIRINGS = 720;

/** @param branches rows in order of arrival; a history's position is that of its first row */
export async function sequentialTest(
  branches: Branches,
  { algebra, seed }: SequentialOptions,
): Promise<SequentialVerdict | NoScore> {
  const histories = inOrder(branches);
  if (histories.length <= WARM_UP)
    return {
      reason: `too few histories with at least two distinct alternatives: ${histories.length} of ${WARM_UP + 1}`,
    };
  const logs = BETS.map(() => 0);
  let largest = 0;
  let map: PastMap | undefined;
  for (const [at, rows] of histories.entries()) {
    if (at < WARM_UP) continue;
    if (!map || at >= GROWTH * map.histories)
      map = await fitPast(branches, histories.slice(Math.max(0, at - MOST_FITTED), at), { all: at, algebra });
    const cross = await map.crossOf(rows);
    const ranks = pairingRanks(cross, seed + at);
    for (const [bet, by] of BETS.entries()) logs[bet] = (logs[bet] as number) + logEValue(ranks, by);
    largest = Math.max(largest, logMean(logs));
  }
  return { histories: histories.length - WARM_UP, logE: logMean(logs), pValue: Math.exp(-largest) };
}

/** Rows of each history with distinct alternatives, in order of arrival. */
function inOrder({ n, episode, turn, source }: Branches): number[][] {
  const found = new Map<string, number[]>();
  for (let row = 0; row < n; row++) {
    const key = `${episode[row]} ${turn[row]}`;
    const rows = found.get(key);
    if (rows) rows.push(row);
    else found.set(key, [row]);
  }
  return [...found.values()]
    .filter((rows) => rows.length > 1 && differ(source, rows))
    .slice(0, WARM_UP + MOST_TESTED);
}

interface PastMap {
  /** Number of histories that it was fitted to. */
  histories: number;
  /** [K, K]: ⟨ŷ_k, y_j⟩. */
  crossOf(rows: readonly number[]): Promise<Matrix>;
}

/** Kernel ridge regression from A's deviations to B's, λ = the mean diagonal of the kernel. */
async function fitPast(
  { source, target }: Branches,
  past: readonly number[][],
  { all, algebra }: { all: number; algebra: LinearAlgebra },
): Promise<PastMap> {
  const [fromA, fromB] = [movementScale(source, past), movementScale(target, past)];
  const x = fromA(past);
  const y = fromB(past);
  const kernel = await algebra.gram(x);
  let trace = 0;
  for (let r = 0; r < x.rows; r++) trace += kernel.data[r * x.rows + r] as number;
  const inverse = await algebra.invertRidge(kernel, trace / x.rows || 1);
  return {
    histories: all,
    crossOf: async (rows) => {
      const weights = await algebra.multiply(await algebra.multiplyTransposed(fromA([rows]), x), inverse);
      return algebra.multiply(weights, await algebra.multiplyTransposed(y, fromB([rows])));
    },
  };
}

type Movements = (histories: readonly (readonly number[])[]) => Matrix;

/**
 * Centres rows by history, layers side by side. Columns are divided by their standard deviation in past histories, and
 * layers are scaled to the same size.
 */
function movementScale(layers: readonly Matrix[], past: readonly (readonly number[])[]): Movements {
  const raw: Movements = (histories) => centred(layers, histories);
  const known = raw(past);
  const squares = new Float64Array(known.cols);
  for (let at = 0; at < known.data.length; at++)
    squares[at % known.cols] = (squares[at % known.cols] as number) + (known.data[at] as number) ** 2;
  const dims = layers.flatMap(({ cols }) => Array.from({ length: cols }, () => cols));
  const factors = squares.map((sum, c) =>
    sum > 0 ? Math.sqrt(known.rows / (sum * (dims[c] as number) * layers.length)) : 0,
  );
  return (histories) => {
    const m = raw(histories);
    for (let at = 0; at < m.data.length; at++)
      m.data[at] = (m.data[at] as number) * (factors[at % m.cols] as number);
    return m;
  };
}

function centred(layers: readonly Matrix[], histories: readonly (readonly number[])[]): Matrix {
  const cols = layers.reduce((sum, layer) => sum + layer.cols, 0);
  const out = zeros(
    histories.reduce((sum, rows) => sum + rows.length, 0),
    cols,
  );
  let top = 0;
  for (const rows of histories) {
    let left = 0;
    for (const layer of layers) {
      for (let c = 0; c < layer.cols; c++, left++) {
        const first = layer.data[(rows[0] as number) * layer.cols + c] as number;
        const values = rows.map((row) => (layer.data[row * layer.cols + c] as number) - first);
        const mean = values.reduce((sum, value) => sum + value, 0) / rows.length;
        for (const [k, value] of values.entries()) out.data[(top + k) * cols + left] = value - mean;
      }
    }
    top += rows.length;
  }
  return out;
}

/** Mid-ranks in (0, 1) of the sums of all pairings, that of the identity first. */
function pairingRanks(cross: Matrix, seed: number): number[] {
  const sums = pairings(cross.rows, seed).map((order) =>
    order.reduce((sum, j, k) => sum + (cross.data[k * cross.cols + j] as number), 0),
  );
  const size = cross.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const tie = 1e-9 * size;
  return sums.map((value) => {
    let [below, equal] = [0, 0];
    for (const other of sums)
      if (Math.abs(other - value) <= tie) equal += 1;
      else if (other < value) below += 1;
    return (below + equal / 2) / sums.length;
  });
}

function pairings(count: number, seed: number): number[][] {
  const identity = Array.from({ length: count }, (_, k) => k);
  if (count <= 6) return permutationsOf(identity);
  const random = seededRandom(seed, 17);
  return [identity, ...Array.from({ length: MOST_PAIRINGS - 1 }, () => shuffled(identity, random))];
}

/** All permutations in lexical order, so the identity is first. */
function permutationsOf(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((first, at) =>
    permutationsOf([...items.slice(0, at), ...items.slice(at + 1)]).map((rest) => [first, ...rest]),
  );
}

function logEValue(ranks: readonly number[], bet: number): number {
  const mean = ranks.reduce((sum, rank) => sum + Math.exp(bet * rank), 0) / ranks.length;
  return bet * (ranks[0] as number) - Math.log(mean);
}

function logMean(logs: readonly number[]): number {
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, value) => sum + Math.exp(value - most), 0) / logs.length);
}
