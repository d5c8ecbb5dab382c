/**
 * The evidence of permutation-test.ts by products: work grows with the number of rows.
 *
 *   C_s = Z_sᵀ W_πs of each scenario       Z with each column times the root of its weight
 *   evidence(π) = ‖Σ C_s‖² − Σ ‖C_s‖²      the second sum are the terms within scenarios
 */
import { addTo, joinColumns, rowRange, zeros } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { EvidenceInput, EvidenceSource } from './evidence-by-tables.ts';
import type { Permutation, Stratum } from './permutations.ts';

/** Where the two sums differ by less than this share, they differ by rounding alone. */
const ROUNDING = 1e-13;

/** [source layers, permutations] */
export async function evidenceByProducts(
  { sources, w, strata, permutations }: EvidenceInput,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const out = zeros(sources.length, permutations.length);
  const z = joinColumns(sources.map(rooted));
  const widths = sources.map((source) => source.z.cols);
  const moved = zeros(w.rows, w.cols);
  const ranges = rangesOf(strata);
  for (const [k, permutation] of permutations.entries()) {
    moveEpisodes(w, moved, { strata, permutation });
    const total = zeros(z.cols, w.cols);
    const within = widths.map(() => 0);
    for (const { from, to } of ranges) {
      const cross = await algebra.crossMultiply(rowRange(z, from, to), rowRange(moved, from, to));
      for (const [layer, square] of squaresOf(cross, widths).entries())
        within[layer] = (within[layer] as number) + square;
      addTo(total, cross);
    }
    for (const [layer, square] of squaresOf(total, widths).entries()) {
      const own = within[layer] as number;
      const evidence = square - own;
      out.data[layer * out.cols + k] = Math.abs(evidence) > ROUNDING * own ? evidence : 0;
    }
  }
  return out;
}

function rooted({ z, weights }: EvidenceSource): Matrix {
  const roots = weights.map(Math.sqrt);
  return { ...z, data: z.data.map((value, at) => value * (roots[at % z.cols] as number)) };
}

/** The rows of each scenario, whose strata follow one another. */
function rangesOf(strata: readonly Stratum[]): { from: number; to: number }[] {
  const ranges = new Map<number, { from: number; to: number }>();
  for (const { scenario, start, episodes, turns } of strata) {
    const known = ranges.get(scenario);
    ranges.set(scenario, { from: known?.from ?? start, to: start + episodes * turns });
  }
  return [...ranges.values()];
}

/** Writes to `to` the rows of w with each episode replaced as the permutation says. */
function moveEpisodes(
  w: Matrix,
  to: Matrix,
  { strata, permutation }: { strata: readonly Stratum[]; permutation: Permutation },
): void {
  for (const [at, { start, turns }] of strata.entries()) {
    const size = turns * w.cols;
    for (const [place, from] of (permutation[at] as number[]).entries()) {
      const begin = start * w.cols + from * size;
      to.data.set(w.data.subarray(begin, begin + size), start * w.cols + place * size);
    }
  }
}

/** Σ squares of each group of rows of m [Σ widths, any]. */
function squaresOf(m: Matrix, widths: readonly number[]): number[] {
  let at = 0;
  return widths.map((width) => {
    let sum = 0;
    for (const end = at + width * m.cols; at < end; at++) sum += (m.data[at] as number) ** 2;
    return sum;
  });
}
