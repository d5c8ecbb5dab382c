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

/** Sums of one block, for one source and one target layer. */
export interface ScenarioSums {
  /** ZᵀZ [k, k] */
  gram: Matrix;
  /** ZᵀW [k, l] */
  cross: Matrix;
  /**
   * Mean over all permutations of (ZᵀW_π)(ZᵀW_π)ᵀ [k, k]: their expectation under the null. 0 if no mean of the
   * null is asked for.
   */
  noise: Matrix;
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
  ofScenarios(layer: number, target: number): Promise<ScenarioSums[]>;
}

/** Sums of these data; each is computed once. */
export function sumsOf(data: FoldData, algebra: LinearAlgebra): SumsOf {
  const { used, nullMean = true, sources, targets } = data;
  const allTargets = joinColumns([...targets]);
  const widths = targets.map(({ cols }) => cols);
  const over = memoize(async (key: string) => {
    const blocks = key.split(' ').map((at) => used.blocks[Number(at)] as Block);
    const w = stackedRows(allTargets, blocks);
    const energy = energies(w, widths);
    const sums: Sums[] = [];
    for (const source of sources) {
      const z = transpose(stackedRows(source, blocks));
      sums.push({ gram: await algebra.gram(z), cross: await algebra.multiply(z, w), energy });
    }
    return sums;
  });
  const grams = memoize((layer: number) => blockGrams(sources[layer] as Matrix, used, algebra));
  const ofScenarios = memoize(async (key: string) => {
    const [layer, target] = key.split(' ').map(Number) as [number, number];
    const sides = { z: sources[layer] as Matrix, w: targets[target] as Matrix };
    const found: ScenarioSums[] = [];
    for (const [at, gram] of (await grams(layer)).entries()) {
      const block = used.blocks[at] as Block;
      const cross = await algebra.crossMultiply(rowsOfBlock(sides.z, block), rowsOfBlock(sides.w, block));
      found.push({
        gram,
        cross,
        noise: nullMean ? await noiseOf(sides, block, algebra) : zeros(gram.rows, gram.cols),
      });
    }
    return found;
  });
  return {
    over: (blocks) => over(blocks.join(' ')),
    ofScenarios: (layer, target) => ofScenarios(`${layer} ${target}`),
  };
}

/** @param matrices at least one */
export function sumOf(matrices: readonly Matrix[]): Matrix {
  const [first, ...others] = matrices as [Matrix, ...Matrix[]];
  const total = copyOf(first);
  for (const other of others) addTo(total, other);
  return total;
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

async function blockGrams(
  m: Matrix,
  { blocks }: Pick<Blocks, 'blocks'>,
  algebra: LinearAlgebra,
): Promise<Matrix[]> {
  const grams: Matrix[] = [];
  for (const block of blocks) grams.push(await algebra.gram(transpose(rowsOfBlock(m, block))));
  return grams;
}

function noiseOf(sides: { z: Matrix; w: Matrix }, block: Block, algebra: LinearAlgebra): Promise<Matrix> {
  const [z, w] = [rowsOfBlock(sides.z, block), rowsOfBlock(sides.w, block)];
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
