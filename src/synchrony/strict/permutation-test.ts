/**
 * The exact permutation test of a strict score. The evidence of a source layer is the cross-term between the
 * prediction from other scenarios and the states themselves, with one fixed penalty and over all target layers:
 *
 *   evidence(π) = Σ over scenarios s ≠ u of ⟨H[s, u], K[π s, π u]⟩
 *   H = Z (ZᵀZ + λI)⁻¹ Zᵀ of the source's components, λ = 3 × their mean eigenvalue
 *   K = Σ over target layers of W Wᵀ / ‖W‖²
 *
 * Each layer's evidence is divided by its standard deviation over the permutations; the statistic is the maximum over
 * layers. The identity is one of the permutations, so a p-value is never 0. Permutations that are equal up to rounding
 * tie, and a tie counts against the evidence.
 */
import { zeros } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { StrictComponents } from './components.ts';
import type { Permutation, Stratum } from './permutations.ts';

export interface Evidence {
  pValue: number;
  /** Mean over layers of the standardised evidence; it still grows where the p-value is at its smallest. */
  z: number;
  /** p-value of each source layer, corrected for the number of layers. */
  perLayer: number[];
}

export interface WeighedEvidence extends Evidence {
  /** The statistic: the largest standardised evidence of any layer. */
  highest: number;
}

/** As a share of the mean eigenvalue. */
const PENALTY = 3;
const TIE = 1e-9;

export function weighEvidence(evidence: Matrix): WeighedEvidence {
  const { rows: layers, cols: permutations, data } = evidence;
  const own = Array.from({ length: layers }, (_, layer) =>
    standardised(data.subarray(layer * permutations, (layer + 1) * permutations)),
  );
  const highest = Array.from({ length: permutations }, (_, k) =>
    Math.max(...own.map((layer) => layer[k] as number)),
  );
  const shareAtLeast = (value: number): number =>
    highest.filter((other) => other >= value - TIE).length / permutations;
  return {
    pValue: shareAtLeast(highest[0] as number),
    z: own.reduce((sum, layer) => sum + (layer[0] as number), 0) / layers,
    perLayer: own.map((layer) => shareAtLeast(layer[0] as number)),
    highest: highest[0] as number,
  };
}

/** @returns zeros if all permutations are equal up to rounding */
function standardised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = Math.sqrt(variance) > TIE * size ? 1 / Math.sqrt(variance) : 0;
  return values.map((value) => (value - mean) * scale);
}

export interface PermutedRows {
  strata: readonly Stratum[];
  /** The first must be the identity. */
  permutations: readonly Permutation[];
}

/** [source layers, permutations] */
export async function evidenceOf(
  { sources, targets }: Pick<StrictComponents, 'sources' | 'targets'>,
  { strata, permutations }: PermutedRows,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const hats: Matrix[] = [];
  for (const source of sources) hats.push(await algebra.multiplyTransposed(smoothed(source), source));
  const kernel = await algebra.gram(normed(targets));
  const out = zeros(hats.length, permutations.length);
  for (const [at, left] of strata.entries())
    for (const [other, right] of strata.entries()) {
      if (other <= at || right.scenario === left.scenario) continue;
      const table = await pairTable({ hats, kernel, left, right }, algebra);
      for (const [k, permutation] of permutations.entries()) {
        const orders = { left: permutation[at] as number[], right: permutation[other] as number[] };
        addPicked(out, table, { k, ...orders });
      }
    }
  return out;
}

/** Z (ZᵀZ + λI)⁻¹ for orthogonal columns: each divided by its eigenvalue plus λ. */
function smoothed(z: Matrix): Matrix {
  const squares = new Float64Array(z.cols);
  for (const [at, value] of z.data.entries())
    squares[at % z.cols] = (squares[at % z.cols] as number) + value * value;
  const penalty = (PENALTY * squares.reduce((sum, value) => sum + value, 0)) / Math.max(1, z.cols);
  return { ...z, data: z.data.map((value, at) => value / ((squares[at % z.cols] as number) + penalty)) };
}

/** Target layers side by side, scaled to the same energy. */
function normed(targets: readonly Matrix[]): Matrix {
  const rows = targets[0]?.rows ?? 0;
  const cols = targets.reduce((sum, target) => sum + target.cols, 0);
  const out: Matrix = { rows, cols, data: new Float64Array(rows * cols) };
  let left = 0;
  for (const target of targets) {
    const norm = Math.sqrt(target.data.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < target.cols; c++)
        out.data[r * cols + left + c] = (target.data[r * target.cols + c] as number) / norm;
    left += target.cols;
  }
  return out;
}

interface StrataPair {
  hats: readonly Matrix[];
  kernel: Matrix;
  left: Stratum;
  right: Stratum;
}

/**
 * Every ⟨H[e, f], K[p, q]⟩, summed over turns: e and p are episodes of the left stratum, f and q of the right.
 * Row p · right.episodes + q; column (e · right.episodes + f) · layers + layer.
 */
function pairTable({ hats, kernel, left, right }: StrataPair, algebra: LinearAlgebra): Promise<Matrix> {
  const pairs = left.episodes * right.episodes;
  const cols = left.turns * right.turns;
  const partners = zeros(pairs, cols);
  const own = zeros(pairs * hats.length, cols);
  for (let e = 0; e < left.episodes; e++)
    for (let f = 0; f < right.episodes; f++) {
      const pair = e * right.episodes + f;
      const corner = { top: left.start + e * left.turns, left: right.start + f * right.turns };
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
  const layers = out.rows;
  for (const [e, p] of left.entries())
    for (const [f, q] of right.entries()) {
      let from = (p * right.length + q) * table.cols + (e * right.length + f) * layers;
      for (let at = k; at < out.data.length; at += out.cols, from++)
        out.data[at] = (out.data[at] as number) + 2 * (table.data[from] as number);
    }
}
