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
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { StrictComponents } from './components.ts';
import { evidenceByProducts } from './evidence-by-products.ts';
import { evidenceByTables, type EvidenceInput } from './evidence-by-tables.ts';
import type { PermutedRows } from './permutations.ts';

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

/** [source layers, permutations] */
export function evidenceOf(
  { sources, targets }: Pick<StrictComponents, 'sources' | 'targets'>,
  permuted: PermutedRows,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const input = {
    sources: sources.map((z) => ({ z, weights: weightsOf(z) })),
    w: normed(targets),
    ...permuted,
  };
  return (isFasterByProducts(input) ? evidenceByProducts : evidenceByTables)(input, algebra);
}

/** Nanoseconds of an entry that a permutation takes from a table, of making a table, and of a thousand products. */
const COST = { picked: 4, table: 150_000, products: 80 };

/** Tables grow with the square of the strata, products with the rows. */
function isFasterByProducts({ sources, w, strata, permutations }: EvidenceInput): boolean {
  const largest = Math.max(0, ...strata.map(({ episodes }) => episodes));
  const pairs = strata.length ** 2 / 2;
  const picked = permutations.length * largest ** 2 * sources.length * COST.picked;
  const columns = sources.reduce((sum, { z }) => sum + z.cols, 0);
  const products = (permutations.length * w.rows * columns * w.cols * COST.products) / 1000;
  return products < pairs * (picked + COST.table);
}

/** Diagonal of (ZᵀZ + λI)⁻¹, where columns are orthogonal: one over the eigenvalue plus λ. */
function weightsOf(z: Matrix): Float64Array {
  const squares = new Float64Array(z.cols);
  for (const [at, value] of z.data.entries())
    squares[at % z.cols] = (squares[at % z.cols] as number) + value * value;
  const penalty = (PENALTY * squares.reduce((sum, value) => sum + value, 0)) / Math.max(1, z.cols);
  return squares.map((square) => 1 / (square + penalty));
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
