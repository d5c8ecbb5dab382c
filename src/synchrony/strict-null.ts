/**
 * What a fold of a strict score would give under an exchange of episodes: rows and columns of the target's Gram matrix move, nothing is
 * fitted again. An exchange moves whole episodes, so the products of every two episodes of A with every two that B may come from are worked
 * out once, and an exchange is a sum over pairs of episodes.
 */
import type { Exchanges, Match } from './exchanges.ts';
import { crossProduct, productTransposed } from './matrix.ts';
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
  const grams = data.targets.map((target) => productTransposed(target, target));
  const all = sumGrams(grams);
  const test = sideOf(data, data.test);
  const train = sideOf(data, data.train);
  for (const [layer, fit] of fits.entries()) {
    const gram = grams[fit.target] as Matrix;
    const cross = movedProducts(exchanges, { h: fit.hat, g: gram, left: test, right: train });
    const square = crossProduct(fit.hat, fit.hat);
    const size = movedProducts(exchanges, { h: square, g: gram, left: train, right: train });
    const evidence = movedProducts(exchanges, { h: fit.evidenceHat, g: all, left: test, right: train });
    for (const k of exchanges.choices.keys()) {
      const at = layer * exchanges.choices.length + k;
      sums.explained.data[at] =
        (sums.explained.data[at] as number) + 2 * (cross[k] as number) - (size[k] as number);
      sums.evidence.data[at] = (sums.evidence.data[at] as number) + (evidence[k] as number);
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

/** Per exchange: Σ h[r, c] · g[partner of r, partner of c], weighted. */
function movedProducts(exchanges: Exchanges, product: MovedProduct): Float64Array {
  const totals = new Float64Array(exchanges.choices.length);
  for (const e of product.left.episodes) {
    const from = exchanges.matches[e] as Match[];
    for (const f of product.right.episodes) {
      const to = exchanges.matches[f] as Match[];
      const table = Float64Array.from({ length: from.length * to.length }, (_, at) =>
        blockProduct(product, from[Math.floor(at / to.length)] as Match, to[at % to.length] as Match),
      );
      for (let k = 0; k < totals.length; k++) {
        const choice = exchanges.choices[k] as Uint8Array;
        const at = (choice[e] as number) * to.length + (choice[f] as number);
        totals[k] = (totals[k] as number) + (table[at] as number);
      }
    }
  }
  return totals;
}

/** The part of one episode of A on either side, with B's from one given episode each. */
function blockProduct({ h, g, left, right }: MovedProduct, rows: Match, cols: Match): number {
  let total = 0;
  for (let r = 0; r < rows.own.length; r++) {
    const hStart = (left.place[rows.own[r] as number] as number) * h.cols;
    const gStart = (rows.partner[r] as number) * g.cols;
    for (let c = 0; c < cols.own.length; c++) {
      const hat = h.data[hStart + (right.place[cols.own[c] as number] as number)] as number;
      total += hat * (g.data[gStart + (cols.partner[c] as number)] as number);
    }
  }
  return total * rows.weight * cols.weight;
}

function sumGrams(grams: Matrix[]): Matrix {
  const first = grams[0] as Matrix;
  const data = new Float64Array(first.data.length);
  for (const gram of grams) {
    for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) + (gram.data[at] as number);
  }
  return { ...first, data };
}
