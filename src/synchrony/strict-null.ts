/**
 * What a fold of a strict score would give under an exchange of episodes: rows and columns of the target's Gram matrix move, nothing is
 * fitted again.
 */
import type { Exchange } from './exchanges.ts';
import { crossProduct, innerProduct, product, productTransposed, takeRows } from './matrix.ts';
import type { FoldData, LayerFit } from './strict-fit.ts';
import type { Matrix } from './types.ts';

/** Sums over folds, per source layer [layers, exchanges]. */
export interface NullSums {
  /** 2⟨prediction, target⟩ − ‖prediction‖². */
  explained: Matrix;
  /** ⟨prediction, target⟩ with the fixed penalty, over all target layers. */
  evidence: Matrix;
}

/** Adds one fold to the sums, for every source layer and exchange. */
export function addFoldToNull(
  sums: NullSums,
  exchanges: Exchange[],
  fold: { data: FoldData; fits: LayerFit[] },
): void {
  const { data, fits } = fold;
  const grams = data.targets.map((target) => productTransposed(target, target));
  const all = sumGrams(grams);
  for (const [layer, fit] of fits.entries()) {
    const gram = grams[fit.target] as Matrix;
    const square = crossProduct(fit.hat, fit.hat);
    for (const [k, exchange] of exchanges.entries()) {
      const at = layer * exchanges.length + k;
      const test = place(exchange, data.test);
      const train = place(exchange, data.train);
      const cross = movedProduct(fit.hat, gram, { left: test, right: train });
      const size = movedProduct(square, gram, { left: train, right: train });
      sums.explained.data[at] = (sums.explained.data[at] as number) + 2 * cross - size;
      const evidence = movedProduct(fit.evidenceHat, all, { left: test, right: train });
      sums.evidence.data[at] = (sums.evidence.data[at] as number) + evidence;
    }
  }
}

/** The evidence of the rows as they are: ⟨prediction, target⟩ over all target layers. */
export function evidenceOf(data: FoldData, fit: LayerFit): number {
  return data.targets.reduce((sum, target) => {
    const predicted = product(fit.evidenceHat, takeRows(target, data.train));
    return sum + innerProduct(predicted, takeRows(target, data.test));
  }, 0);
}

/** Where the rows of one side of the fold find their partner, those without one left out. */
interface Placed {
  /** Places within the side. */
  own: Int32Array;
  partner: Int32Array;
  weight: Float64Array;
}

function place(exchange: Exchange, side: Int32Array): Placed {
  const own = Int32Array.from(side.keys()).filter(
    (at) => (exchange.partner[side[at] as number] as number) >= 0,
  );
  return {
    own,
    partner: own.map((at) => exchange.partner[side[at] as number] as number),
    weight: Float64Array.from(own, (at) => exchange.weight[side[at] as number] as number),
  };
}

/** Σ h[r, c] · g[partner of r, partner of c], weighted. */
export function movedProduct(h: Matrix, g: Matrix, at: { left: Placed; right: Placed }): number {
  const { own: columns, partner, weight } = at.right;
  let total = 0;
  for (const [r, own] of at.left.own.entries()) {
    const hStart = own * h.cols;
    const gStart = (at.left.partner[r] as number) * g.cols;
    let sum = 0;
    for (let c = 0; c < columns.length; c++) {
      sum +=
        (h.data[hStart + (columns[c] as number)] as number) *
        (g.data[gStart + (partner[c] as number)] as number) *
        (weight[c] as number);
    }
    total += sum * (at.left.weight[r] as number);
  }
  return total;
}

function sumGrams(grams: Matrix[]): Matrix {
  const first = grams[0] as Matrix;
  const data = new Float64Array(first.data.length);
  for (const gram of grams)
    for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) + (gram.data[at] as number);
  return { ...first, data };
}
