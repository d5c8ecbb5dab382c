/**
 * The residuals of text-residuals.ts from sums over scenarios, for scenarios of more rows than the text has components:
 * the sums are made once for all folds and penalties, and no matrix of a scenario's rows is inverted.
 *
 *   B = (Σ G + λI)⁻¹ Σ C           over the training scenarios without S; held-out rows take all training scenarios
 *   residuals of S                 Y_S − T_S B
 *   error of a penalty             Σ over training scenarios of ‖Y_S‖² − 2⟨C_S, B⟩ + ⟨G_S B, B⟩
 *
 * with G_S = T_SᵀT_S and C_S = T_SᵀY_S.
 */
import { copyOf, joinColumns, splitColumns, subtractFrom, zeros } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { memoize } from '../memoize.ts';
import type { Block, Blocks } from './blocks.ts';
import { meanEigenvalue } from './choose-model.ts';
import { rowsOfBlock, sumOf } from './scenario-sums.ts';
import { LEADING_COLUMNS, PENALTIES } from './text-residuals.ts';

/** Whether scenarios have more rows than the text has components. */
export const isTall = ({ rows, blocks }: Blocks, text: Matrix): boolean =>
  rows.length > blocks.length * text.cols;

export interface TallInput {
  used: Blocks;
  /** Components of the text [rows in use, p]. */
  text: Matrix;
  algebra: LinearAlgebra;
}

/** Sums over the rows of one scenario. */
interface TextSums {
  /** TᵀT [p, p] */
  gram: Matrix;
  /** TᵀY of each part [p, its columns]. */
  cross: Matrix[];
  /** Σ squares of each part's leading columns. */
  energy: number[];
}

interface Work extends TallInput {
  parts: readonly Matrix[];
  sums: TextSums[];
}

/** One fold. */
interface Fold extends Work {
  /** Blocks that are not held out. */
  trained: number[];
  /** (Σ G + λI)⁻¹ of the training scenarios without one, or of all of them. */
  inverse(share: number, without: number | undefined): Promise<Matrix>;
}

/** @returns for held-out blocks the residuals of each part [rows in use, any] */
export async function tallTextResiduals(
  parts: readonly Matrix[],
  input: TallInput,
): Promise<(held: readonly number[]) => Promise<Matrix[]>> {
  const sums: TextSums[] = [];
  for (const block of input.used.blocks) sums.push(await sumsOfBlock(parts, block, input));
  const work = { ...input, parts, sums };
  return async (held) => {
    const trained = [...sums.keys()].filter((block) => !held.includes(block));
    const fold = { ...work, trained, inverse: inversesOf(work, trained) };
    return residualsOf(fold, await bestPenalties(fold));
  };
}

async function sumsOfBlock(
  parts: readonly Matrix[],
  block: Block,
  { text, algebra }: TallInput,
): Promise<TextSums> {
  const t = rowsOfBlock(text, block);
  const y = parts.map((part) => rowsOfBlock(part, block));
  const all = await algebra.crossMultiply(t, joinColumns(y.map(copyOf)));
  return {
    gram: await algebra.crossMultiply(t, t),
    cross: splitColumns(
      all,
      y.map(({ cols }) => cols),
    ),
    energy: y.map(leadingEnergy),
  };
}

function leadingEnergy({ rows, cols, data }: Matrix): number {
  let sum = 0;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < Math.min(LEADING_COLUMNS, cols); c++) sum += (data[r * cols + c] as number) ** 2;
  return sum;
}

function inversesOf({ sums, algebra }: Work, trained: readonly number[]): Fold['inverse'] {
  const all = sumOf(trained.map((block) => (sums[block] as TextSums).gram));
  const mean = meanEigenvalue(all);
  const known = memoize((key: string) => {
    const [share, without] = key.split(' ').map(Number) as [number, number];
    const own = sums[without]?.gram;
    return algebra.invertRidge(own ? subtractFrom(copyOf(all), own) : all, share * mean);
  });
  return (share, without = -1) => known(`${share} ${without}`);
}

/** For each part, the penalty with the smallest leave-one-scenario-out error. */
async function bestPenalties(fold: Fold): Promise<number[]> {
  const { parts, sums, trained, inverse, algebra } = fold;
  const leading = sums.map(({ cross }) => joinColumns(cross.map(leadingOf)));
  const widths = parts.map(({ cols }) => Math.min(LEADING_COLUMNS, cols));
  const all = sumOf(trained.map((block) => leading[block] as Matrix));
  const best = parts.map(() => ({ share: PENALTIES[0] as number, error: Infinity }));
  for (const share of PENALTIES) {
    const errors = parts.map(() => 0);
    for (const block of trained) {
      const own = sums[block] as TextSums;
      const cross = leading[block] as Matrix;
      const map = await algebra.multiply(await inverse(share, block), subtractFrom(copyOf(all), cross));
      const size = await algebra.multiply(own.gram, map);
      for (const [part, explained] of explainedOf(map, { cross, size }, widths).entries())
        errors[part] = (errors[part] as number) + (own.energy[part] as number) - explained;
    }
    for (const [part, error] of errors.entries())
      if (error < (best[part]?.error ?? 0)) best[part] = { share, error };
  }
  return best.map((fit) => fit.share);
}

function leadingOf(m: Matrix): Matrix {
  const cols = Math.min(LEADING_COLUMNS, m.cols);
  const out = zeros(m.rows, cols);
  for (let r = 0; r < m.rows; r++) out.data.set(m.data.subarray(r * m.cols, r * m.cols + cols), r * cols);
  return out;
}

/** 2⟨C, B⟩ − ⟨G B, B⟩ over the columns of each part. */
function explainedOf(map: Matrix, by: { cross: Matrix; size: Matrix }, widths: readonly number[]): number[] {
  const sums = widths.map(() => 0);
  for (let at = 0; at < map.data.length;)
    for (const [part, width] of widths.entries())
      for (const end = at + width; at < end; at++) {
        const gain = 2 * (by.cross.data[at] as number) - (by.size.data[at] as number);
        sums[part] = (sums[part] as number) + (map.data[at] as number) * gain;
      }
  return sums;
}

async function residualsOf(fold: Fold, shares: readonly number[]): Promise<Matrix[]> {
  const { parts, used, text, trained, inverse, sums, algebra } = fold;
  const out = parts.map(copyOf);
  for (const share of new Set(shares)) {
    const places = [...shares.keys()].filter((part) => shares[part] === share);
    const widths = places.map((part) => (parts[part] as Matrix).cols);
    const crossOf = (block: number): Matrix =>
      joinColumns(places.map((part) => (sums[block] as TextSums).cross[part] as Matrix));
    const all = sumOf(trained.map(crossOf));
    const heldOut = await algebra.multiply(await inverse(share, undefined), all);
    for (const [at, block] of used.blocks.entries()) {
      const map = trained.includes(at)
        ? await algebra.multiply(await inverse(share, at), subtractFrom(copyOf(all), crossOf(at)))
        : heldOut;
      const guess = await algebra.multiply(rowsOfBlock(text, block), map);
      for (const [k, guessed] of splitColumns(guess, widths).entries())
        subtractFrom(rowsOfBlock(out[places[k] as number] as Matrix, block), guessed);
    }
  }
  return out;
}
