/**
 * What a fold of a strict score would give under an exchange of episodes: rows and columns of the target's Gram matrix move, nothing is
 * fitted again.
 */
import type { Exchanges } from './permutations.ts';
import { groupBy } from '../group-by.ts';
import { joinColumns, transpose, zeros } from '../../numeric/matrix.ts';
import { movedProducts, sideOf, type MovedInput } from './permuted-products.ts';
import type { FoldData, LayerFit } from './fit.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

/** Sums over folds, per source layer [layers, exchanges]. */
export interface NullSums {
  /** 2⟨prediction, target⟩ − ‖prediction‖², without pairs of episodes that both keep their partner: nothing of the coupling is left in it. */
  explained: Matrix;
  /** ⟨prediction, target⟩ with the fixed penalty, over all target layers: of pairs of episodes of which one moves at least. */
  moved: Matrix;
  /** The same of pairs that both keep their partner: all of them in the first exchange, the rows as they are. */
  kept: Matrix;
}

export interface FittedLayers {
  data: FoldData;
  fits: LayerFit[];
}

/** Adds one fold to the sums, for every source layer and exchange. */
export async function addFoldToNull(
  sums: NullSums,
  { data, fits }: FittedLayers,
  { exchanges, algebra }: { exchanges: Exchanges; algebra: LinearAlgebra },
): Promise<void> {
  const test = sideOf(data.rows, exchanges, data.test);
  const train = sideOf(data.rows, exchanges, data.train);
  const moved = (of: Pick<MovedInput, 'h' | 'g' | 'apart' | 'kept'>, left = test): Promise<Matrix> =>
    movedProducts(exchanges, { ...of, left, right: train }, algebra);
  const all = await algebra.gram(joinColumns(data.targets));
  for (const [target, layers] of groupBy(fits.keys(), (layer) => fits[layer]?.target as number)) {
    const gram = data.targets.length === 1 ? all : await algebra.gram(data.targets[target] as Matrix);
    const hats = layers.map((layer) => (fits[layer] as LayerFit).hat);
    add(sums.explained, await moved({ h: hats, g: gram, apart: 'spread' }), { layers, times: 2 });
    const squares: Matrix[] = [];
    for (const hat of hats) squares.push(await algebra.gram(transpose(hat)));
    const sizes = await moved({ h: squares, g: gram, apart: 'mean' }, train);
    add(sums.explained, sizes, { layers, times: -1 });
  }
  const kept = zeros(exchanges.choices.length, fits.length);
  const evidence = await moved({ h: fits.map((fit) => fit.evidenceHat), g: all, kept });
  const everywhere = { layers: [...fits.keys()], times: 1 };
  add(sums.moved, evidence, everywhere);
  add(sums.kept, kept, everywhere);
}

/** Adds [exchanges, layers] to [all layers, exchanges]. */
function add(sums: Matrix, moved: Matrix, { layers, times }: { layers: number[]; times: number }): void {
  for (const [at, layer] of layers.entries()) {
    for (let k = 0; k < moved.rows; k++) {
      const value = times * (moved.data[k * moved.cols + at] as number);
      sums.data[layer * sums.cols + k] = (sums.data[layer * sums.cols + k] as number) + value;
    }
  }
}
