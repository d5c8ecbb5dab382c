/**
 * Sums over the rows of each scenario that ridge fits need. They are additive, so every fit, with or without some
 * scenario, is computed from them and no row is read twice.
 */
import { addTo, copyOf, joinColumns, rowRange, transpose, zeros } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { memoize } from '../memoize.ts';
import type { Block, Blocks } from './blocks.ts';

/**
 * Sums of one source layer over some blocks: ZᵀZ [k, k], ZᵀW [k, l] with all target layers side by side, and ‖W‖² of
 * each target layer.
 */
export interface Sums {
  gram: Matrix;
  cross: Matrix;
  energy: number[];
}

/** A matrix of every block, of equal sizes. */
export interface Stack {
  /** One below the other. */
  all: Matrix;
  /** Views on `all`, one for each block. */
  parts: readonly Matrix[];
}

/** Sums of every block, for one source and one target layer. */
export interface ScenarioSums {
  /** ZᵀZ [k, k] */
  grams: Stack;
  /** WᵀZ [l, k] */
  crosses: Stack;
  /**
   * Mean over all permutations of (ZᵀW_π)(ZᵀW_π)ᵀ [k, k]: their expectation under the null. Undefined if no mean of the
   * null is asked for.
   */
  noises: Stack | undefined;
}

export interface FoldData {
  used: Pick<Blocks, 'blocks'>;
  /** Whether the mean of the null is needed; true by default. */
  nullMean?: boolean;
  /** For each layer [rows in use, k]: components, doubly centred. */
  sources: readonly Matrix[];
  targets: readonly Matrix[];
}

export interface SumsOf {
  /** Sums over these blocks, for each source layer. */
  over(blocks: readonly number[]): Promise<Sums[]>;
  /** Sums of every block. */
  ofScenarios(layer: number, target: number): Promise<ScenarioSums>;
}

/** Sums of these data; each is computed once. */
export function sumsOf(data: FoldData, algebra: LinearAlgebra): SumsOf {
  const { used, nullMean = true, sources, targets } = data;
  const allTargets = joinColumns([...targets]);
  const widths = targets.map(({ cols }) => cols);
  const grams = memoize((layer: number) => blockGrams(sources[layer] as Matrix, used, algebra));
  const over = memoize(async (key: string) => {
    const places = key.split(' ').map(Number);
    const blocks = places.map((at) => used.blocks[at] as Block);
    const w = stackedRows(allTargets, blocks);
    const energy = energies(w, widths);
    const sums: Sums[] = [];
    for (const [layer, source] of sources.entries()) {
      const all = await grams(layer);
      const cross = await algebra.multiply(transpose(stackedRows(source, blocks)), w);
      sums.push({ gram: sumOf(partsOf(all, places)), cross, energy });
    }
    return sums;
  });
  const ofScenarios = memoize(async (key: string) => {
    const [layer, target] = key.split(' ').map(Number) as [number, number];
    const [z, w] = [sources[layer] as Matrix, targets[target] as Matrix];
    const sides = used.blocks.map((block) => ({ block, z: rowsOfBlock(z, block), w: rowsOfBlock(w, block) }));
    const crosses = await stackOf(sides, (side) => algebra.crossMultiply(side.w, side.z));
    const noises = nullMean ? await stackOf(sides, (side) => noiseOf(side, algebra)) : undefined;
    return { grams: await grams(layer), crosses, noises };
  });
  return {
    over: (blocks) => over(blocks.join(' ')),
    ofScenarios: (layer, target) => ofScenarios(`${layer} ${target}`),
  };
}

/** The matrices of these blocks. */
export const partsOf = ({ parts }: Stack, blocks: readonly number[]): Matrix[] =>
  blocks.map((at) => parts[at] as Matrix);

/** @param matrices at least one */
export function sumOf(matrices: readonly Matrix[]): Matrix {
  const [first, ...others] = matrices as [Matrix, ...Matrix[]];
  const total = copyOf(first);
  // two in a pass, since a pass is as long as memory takes
  for (let at = 0; at + 1 < others.length; at += 2)
    addBoth(total.data, (others[at] as Matrix).data, (others[at + 1] as Matrix).data);
  if (others.length % 2 === 1) addTo(total, others.at(-1) as Matrix);
  return total;
}

function addBoth(to: Float64Array, first: Float64Array, second: Float64Array): void {
  for (let at = 0; at < to.length; at++)
    to[at] = (to[at] as number) + (first[at] as number) + (second[at] as number);
}

/** @param make gives matrices of one size */
async function stackOf<T>(blocks: readonly T[], make: (block: T) => Promise<Matrix>): Promise<Stack> {
  const made: Matrix[] = [];
  for (const block of blocks) made.push(await make(block));
  const [{ rows, cols }] = made as [Matrix, ...Matrix[]];
  const all = zeros(rows * made.length, cols);
  const parts = made.map(({ data }, at) => {
    all.data.set(data, at * data.length);
    return rowRange(all, at * rows, (at + 1) * rows);
  });
  return { all, parts };
}

/** A block's rows as a view. */
export const rowsOfBlock = (m: Matrix, { start, episodes, turns }: Block): Matrix =>
  rowRange(m, start, start + episodes * turns);

function stackedRows(m: Matrix, blocks: readonly Block[]): Matrix {
  const parts = blocks.map((block) => rowsOfBlock(m, block));
  const out = zeros(
    parts.reduce((sum, { rows }) => sum + rows, 0),
    m.cols,
  );
  let at = 0;
  for (const { data } of parts) {
    out.data.set(data, at);
    at += data.length;
  }
  return out;
}

/** Σ squares of each of the matrices that are side by side in m, by their widths. */
function energies(m: Matrix, widths: readonly number[]): number[] {
  const sums = widths.map(() => 0);
  for (let at = 0; at < m.data.length;)
    for (const [part, width] of widths.entries())
      for (const end = at + width; at < end; at++)
        sums[part] = (sums[part] as number) + (m.data[at] as number) ** 2;
  return sums;
}

function blockGrams(m: Matrix, { blocks }: Pick<Blocks, 'blocks'>, algebra: LinearAlgebra): Promise<Stack> {
  return stackOf(blocks, (block) => algebra.gram(transpose(rowsOfBlock(m, block))));
}

function noiseOf(
  { z, w, block }: { z: Matrix; w: Matrix; block: Block },
  algebra: LinearAlgebra,
): Promise<Matrix> {
  return algebra.crossMultiply(z, mixedTurns(z, turnProducts(w, block), block));
}

/** Σ over episodes of W_e W_eᵀ / (episodes − 1) [turns, turns]. */
function turnProducts(w: Matrix, { episodes, turns }: Block): Matrix {
  const out = zeros(turns, turns);
  for (let e = 0; e < episodes; e++)
    for (let t = 0; t < turns; t++)
      for (let u = 0; u < turns; u++) {
        let sum = 0;
        const [x, y] = [(e * turns + t) * w.cols, (e * turns + u) * w.cols];
        for (let c = 0; c < w.cols; c++) sum += (w.data[x + c] as number) * (w.data[y + c] as number);
        out.data[t * turns + u] = (out.data[t * turns + u] as number) + sum / (episodes - 1);
      }
  return out;
}

/** For each episode: by [turns, turns] · its rows. */
function mixedTurns(z: Matrix, by: Matrix, { episodes, turns }: Block): Matrix {
  const out = zeros(z.rows, z.cols);
  for (let e = 0; e < episodes; e++)
    for (let t = 0; t < turns; t++)
      for (let u = 0; u < turns; u++) {
        const weight = by.data[t * turns + u] as number;
        const [to, from] = [(e * turns + t) * z.cols, (e * turns + u) * z.cols];
        for (let c = 0; c < z.cols; c++)
          out.data[to + c] = (out.data[to + c] as number) + weight * (z.data[from + c] as number);
      }
  return out;
}
