/**
 * The evidence of permutation-test.ts by tables: for every pair of strata, the products of any two episodes with any
 * two others, from which each permutation takes its own. Work grows with the square of the number of strata.
 */
import { rowRange, zeros } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { PermutedRows, Stratum } from './permutations.ts';

/** A source layer: H = Z · diag(weights) · Zᵀ. */
export interface EvidenceSource {
  /** [rows in use, k] */
  z: Matrix;
  /** [k] */
  weights: Float64Array;
}

export interface EvidenceInput extends PermutedRows {
  sources: readonly EvidenceSource[];
  /** W of all target layers side by side, scaled: K = W Wᵀ. */
  w: Matrix;
}

/** [source layers, permutations] */
export async function evidenceByTables(
  { sources, w, strata, permutations }: EvidenceInput,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const sides = [...sources.map((one) => ({ left: smoothed(one), right: one.z })), { left: w, right: w }];
  const out = zeros(sources.length, permutations.length);
  for (const [at, left] of strata.entries()) {
    const later = [...strata.entries()].filter(
      ([other, right]) => other > at && right.scenario !== left.scenario,
    );
    const first = later[0]?.[1];
    if (first === undefined) continue;
    const strips = await stripsOf(sides, { left, from: first.start }, algebra);
    for (const [other, right] of later) {
      const table = await pairTable({ ...strips, left, right }, algebra);
      for (const [k, permutation] of permutations.entries()) {
        const orders = { left: permutation[at] as number[], right: permutation[other] as number[] };
        addPicked(out, table, { k, ...orders });
      }
    }
  }
  return out;
}

const smoothed = ({ z, weights }: EvidenceSource): Matrix => ({
  ...z,
  data: z.data.map((value, at) => value * (weights[at % z.cols] as number)),
});

/** A matrix [n, n] as left · rightᵀ, of which only strips are ever made. */
interface Side {
  left: Matrix;
  right: Matrix;
}

/** Rows of one stratum, columns from `from` on: of H of every source layer, and of K. */
interface Strips {
  hats: readonly Matrix[];
  kernel: Matrix;
  from: number;
}

/** @param sides H of every source layer, then K */
async function stripsOf(
  sides: readonly Side[],
  { left, from }: { left: Stratum; from: number },
  algebra: LinearAlgebra,
): Promise<Strips> {
  const strips: Matrix[] = [];
  for (const side of sides) {
    const rows = rowRange(side.left, left.start, left.start + left.episodes * left.turns);
    strips.push(await algebra.multiplyTransposed(rows, rowRange(side.right, from, side.right.rows)));
  }
  return { hats: strips.slice(0, -1), kernel: strips.at(-1) as Matrix, from };
}

interface StrataPair extends Strips {
  left: Stratum;
  right: Stratum;
}

/**
 * Every ⟨H[e, f], K[p, q]⟩, summed over turns: e and p are episodes of the left stratum, f and q of the right.
 * Row p · right.episodes + q; column (e · right.episodes + f) · layers + layer.
 */
function pairTable({ hats, kernel, from, left, right }: StrataPair, algebra: LinearAlgebra): Promise<Matrix> {
  const pairs = left.episodes * right.episodes;
  const cols = left.turns * right.turns;
  const partners = zeros(pairs, cols);
  const own = zeros(pairs * hats.length, cols);
  for (let e = 0; e < left.episodes; e++)
    for (let f = 0; f < right.episodes; f++) {
      const pair = e * right.episodes + f;
      const corner = { top: e * left.turns, left: right.start - from + f * right.turns };
      copyTurns(kernel, corner, { to: partners.data, at: pair * cols, turns: [left.turns, right.turns] });
      for (const [layer, hat] of hats.entries()) {
        const at = (pair * hats.length + layer) * cols;
        copyTurns(hat, corner, { to: own.data, at, turns: [left.turns, right.turns] });
      }
    }
  return algebra.multiplyTransposed(partners, own);
}

function copyTurns(
  m: Matrix,
  { top, left }: { top: number; left: number },
  into: { to: Float64Array; at: number; turns: [number, number] },
): void {
  const [rows, cols] = into.turns;
  let at = into.at;
  for (let r = 0; r < rows; r++)
    for (let c = 0, from = (top + r) * m.cols + left; c < cols; c++, at++, from++)
      into.to[at] = m.data[from] as number;
}

/** Adds the entries of a table that one permutation selects, twice, since both matrices are symmetric. */
function addPicked(out: Matrix, table: Matrix, of: { k: number; left: number[]; right: number[] }): void {
  const { k, left, right } = of;
  const { rows: layers, cols: permutations, data } = out;
  const from = table.data;
  // Index loops and a sum in a register: this is the innermost work of the test.
  const places = new Int32Array(left.length * right.length);
  for (let e = 0, at = 0; e < left.length; e++)
    for (let f = 0; f < right.length; f++, at++) {
      const row = (left[e] as number) * right.length + (right[f] as number);
      places[at] = row * table.cols + at * layers;
    }
  for (let layer = 0; layer < layers; layer++) {
    let sum = 0;
    for (let at = 0; at < places.length; at++) sum += from[(places[at] as number) + layer] as number;
    const to = layer * permutations + k;
    data[to] = (data[to] as number) + 2 * sum;
  }
}
