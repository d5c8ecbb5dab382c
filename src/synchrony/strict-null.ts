/**
 * What a fold of a strict score would give under an exchange of episodes: rows and columns of the target's Gram matrix move, nothing is
 * fitted again. An exchange moves whole episodes, so the products of every two episodes of A with every two that B may come from are worked
 * out once, and an exchange is a sum over pairs of episodes.
 */
import type { Exchanges, Match } from './exchanges.ts';
import { symmetricProduct, transpose } from './matrix.ts';
import type { FoldData, LayerFit } from './strict-fit.ts';
import type { Matrix } from './types.ts';

/** Sums over folds, per source layer [layers, exchanges]. */
export interface NullSums {
  /** 2⟨prediction, target⟩ − ‖prediction‖². */
  explained: Matrix;
  /** ⟨prediction, target⟩ with the fixed penalty, over all target layers. */
  evidence: Matrix;
}

/** The episodes and rows of one side of a fold. */
interface Side {
  episodes: number[];
  /** Row → its place in the side [n]. */
  place: Int32Array;
}

/** Adds one fold to the sums, for every source layer and exchange. */
export function addFoldToNull(
  sums: NullSums,
  exchanges: Exchanges,
  fold: { data: FoldData; fits: LayerFit[] },
): void {
  const { data, fits } = fold;
  const grams = data.targets.map((target) => symmetricProduct(target));
  const all = sumGrams(grams);
  const test = sideOf(data, data.test);
  const train = sideOf(data, data.train);
  for (const [layer, fit] of fits.entries()) {
    const gram = grams[fit.target] as Matrix;
    const cross = movedProducts(exchanges, { h: fit.hat, g: gram, left: test, right: train });
    const square = symmetricProduct(transpose(fit.hat));
    const size = movedProducts(exchanges, { h: square, g: gram, left: train, right: train });
    const evidence = movedProducts(exchanges, { h: fit.evidenceHat, g: all, left: test, right: train });
    for (const k of exchanges.choices.keys()) {
      const at = layer * exchanges.choices.length + k;
      sums.explained.data[at] =
        (sums.explained.data[at] as number) + 2 * (cross[k] as number) - (size[k] as number);
      const wider = k === 0 ? 1 : (data.widening?.[layer] ?? 1);
      sums.evidence.data[at] = (sums.evidence.data[at] as number) + wider * (evidence[k] as number);
    }
  }
}

function sideOf({ rows }: FoldData, side: Int32Array): Side {
  const place = new Int32Array(rows.episode.length).fill(-1);
  for (const [at, row] of side.entries()) place[row] = at;
  return { episodes: [...new Set(side.map((row) => rows.episode[row] as number))], place };
}

interface MovedProduct {
  /** [left rows, right rows] */
  h: Matrix;
  /** [n, n] */
  g: Matrix;
  left: Side;
  right: Side;
}

/** Per exchange: Σ h[r, c] · g[partner of r, partner of c], weighted. Where both sides are one, h is symmetric and half is enough. */
function movedProducts(exchanges: Exchanges, product: MovedProduct): Float64Array {
  const totals = new Float64Array(exchanges.choices.length);
  const symmetric = product.left === product.right;
  for (const e of product.left.episodes) {
    for (const f of product.right.episodes) {
      if (symmetric && f < e) continue;
      const table = pairTable(product, exchanges.matches[e] as Match[], exchanges.matches[f] as Match[]);
      const times = symmetric && f > e ? 2 : 1;
      const width = exchanges.matches[f]?.length ?? 0;
      for (let k = 0; k < totals.length; k++) {
        const choice = exchanges.choices[k] as Uint8Array;
        const at = (choice[e] as number) * width + (choice[f] as number);
        totals[k] = (totals[k] as number) + times * (table[at] as number);
      }
    }
  }
  return totals;
}

/** One episode of A on either side, with B's from every episode of its block: [matches left, matches right], flat. */
function pairTable(product: MovedProduct, from: Match[], to: Match[]): Float64Array {
  const table = new Float64Array(from.length * to.length);
  let at = 0;
  for (const rows of from) for (const cols of to) table[at++] = blockProduct(product, rows, cols);
  return table;
}

function blockProduct({ h, g, left, right }: MovedProduct, rows: Match, cols: Match): number {
  const hat = h.data;
  const gram = g.data;
  const own = cols.own;
  const partner = cols.partner;
  let total = 0;
  for (let r = 0; r < rows.own.length; r++) {
    const hStart = (left.place[rows.own[r] as number] as number) * h.cols;
    const gStart = (rows.partner[r] as number) * g.cols;
    for (let c = 0; c < own.length; c++) {
      const place = right.place[own[c] as number] as number;
      total += (hat[hStart + place] as number) * (gram[gStart + (partner[c] as number)] as number);
    }
  }
  return total * rows.weight * cols.weight;
}

function sumGrams(grams: Matrix[]): Matrix {
  const first = grams[0] as Matrix;
  if (grams.length === 1) return first;
  const data = new Float64Array(first.data.length);
  for (const gram of grams) {
    for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) + (gram.data[at] as number);
  }
  return { ...first, data };
}
