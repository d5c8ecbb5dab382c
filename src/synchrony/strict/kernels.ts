/** The Gram matrices a strict score is computed from. They grow by one row per turn under frozen scales; everything else follows from them. */
import { applyScales, measureScales, type Scales } from './scales.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { TurnPairs } from '../types.ts';

export interface StrictScales {
  source: Scales[];
  target: Scales[];
  history: Scales;
  reply: Scales;
}

/** All [n, n], of standardised rows. */
export interface StrictKernels {
  source: Matrix[];
  target: Matrix[];
  history: Matrix;
  reply: Matrix;
  degenerateDims: number;
}

export function freezeScales(pairs: TurnPairs): StrictScales {
  return {
    source: pairs.source.map((layer) => measureScales(layer, pairs.episode)),
    target: pairs.target.map((layer) => measureScales(layer, pairs.episode)),
    history: unscaled(measureScales(pairs.history, pairs.episode)),
    reply: unscaled(measureScales(pairs.reply, pairs.episode)),
  };
}

/** Text features keep their own sizes: a rare n-gram must not weigh as much as a common one. */
function unscaled(scales: Scales): Scales {
  return { ...scales, factor: scales.factor.map((value) => (value > 0 ? 1 : 0)) };
}

export async function strictKernels(
  pairs: TurnPairs,
  algebra: LinearAlgebra,
  scales: StrictScales = freezeScales(pairs),
): Promise<StrictKernels> {
  const all = async (layers: Matrix[], of: Scales[]): Promise<Matrix[]> => {
    const grams: Matrix[] = [];
    for (const [index, layer] of layers.entries()) {
      grams.push(await algebra.gram(applyScales(layer, of[index] as Scales)));
    }
    return grams;
  };
  return {
    source: await all(pairs.source, scales.source),
    target: await all(pairs.target, scales.target),
    history: await algebra.gram(applyScales(pairs.history, scales.history)),
    reply: await algebra.gram(applyScales(pairs.reply, scales.reply)),
    degenerateDims: scales.target.reduce((sum, layer) => sum + layer.degenerate, 0),
  };
}
