/**
 * What a fold of a strict score would give under an exchange of episodes: rows and columns of the target's Gram matrix move, nothing is
 * fitted again.
 */
import type { Exchange } from './exchanges.ts';
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

/** Where the rows of one side of a fold find their partner, those without one left out. */
interface Placed {
  /** Places within the side. */
  own: Int32Array;
  partner: Int32Array;
  weight: Float64Array;
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
  const squares = fits.map((fit) => crossProduct(fit.hat, fit.hat));
  for (const [k, exchange] of exchanges.entries()) {
    const test = place(exchange, data.test);
    const train = place(exchange, data.train);
    for (const [layer, fit] of fits.entries()) {
      const at = layer * exchanges.length + k;
      const gram = grams[fit.target] as Matrix;
      const cross = movedProduct(fit.hat, gram, { left: test, right: train });
      const size = movedProduct(squares[layer] as Matrix, gram, { left: train, right: train });
      const evidence = movedProduct(fit.evidenceHat, all, { left: test, right: train });
      sums.explained.data[at] = (sums.explained.data[at] as number) + 2 * cross - size;
      sums.evidence.data[at] = (sums.evidence.data[at] as number) + evidence;
    }
  }
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

/** Σ h[r, c] · g[partner of r, partner of c], weighted: the innermost loop of every permutation. */
function movedProduct(h: Matrix, g: Matrix, at: { left: Placed; right: Placed }): number {
  const { own, partner, weight } = at.right;
  const rows = at.left;
  const hat = h.data;
  const gram = g.data;
  let total = 0;
  for (let r = 0; r < rows.own.length; r++) {
    const hStart = (rows.own[r] as number) * h.cols;
    const gStart = (rows.partner[r] as number) * g.cols;
    let sum = 0;
    for (let c = 0; c < own.length; c++) {
      const moved = gram[gStart + (partner[c] as number)] as number;
      sum += (hat[hStart + (own[c] as number)] as number) * moved * (weight[c] as number);
    }
    total += sum * (rows.weight[r] as number);
  }
  return total;
}

function sumGrams(grams: Matrix[]): Matrix {
  const first = grams[0] as Matrix;
  const data = new Float64Array(first.data.length);
  for (const gram of grams) {
    for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) + (gram.data[at] as number);
  }
  return { ...first, data };
}
