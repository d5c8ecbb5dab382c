/** Picks from the residual stream the tensors that enter the first block and leave each block. */
import { EntrainError } from '../protocol/errors.ts';
import type { Link } from './residual-chain.ts';

/** Index = layer: 0 enters the first block, i leaves block i. */
export type Taps = Link[];

/**
 * Sequential blocks add twice, parallel ones once; one addition more stands in front where positions are added.
 * @throws EntrainError MODEL_UNSUPPORTED when the additions do not divide over the layers
 */
export function findTaps(chain: readonly Link[], layers: number): Taps {
  const links = chain.length - 1;
  const perLayer = links >= 2 * layers ? 2 : 1;
  const extra = links - perLayer * layers;
  if (extra < 0 || extra > 1) throw noTaps(links, layers);
  const taps = Array.from({ length: layers + 1 }, (_, layer) => chain[extra + perLayer * layer]);
  return checkNames(taps.filter((tap) => tap !== undefined));
}

function noTaps(links: number, layers: number): EntrainError {
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `The graph's residual stream has ${links} additions for ${layers} layers, expected one or two for each ` +
      `(and one for positions); export the model as a plain decoder.`,
  );
}

/** Where a name tells the layer, it must be the block the tap leaves (or the next one, whose input norm names the sum). */
function checkNames(taps: Taps): Taps {
  for (const [layer, { tensor }] of taps.entries()) {
    const named = /(?:layers|\bh|blocks)[./_](\d+)[./_]/.exec(tensor)?.[1];
    if (layer === 0 || named === undefined) continue;
    if (Number(named) !== layer - 1 && Number(named) !== layer) throw misnamed(tensor, layer);
  }
  return taps;
}

function misnamed(tensor: string, layer: number): EntrainError {
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `By structure the state after block ${layer} is ${tensor}, whose name says another layer; ` +
      `check num_hidden_layers in config.json.`,
  );
}
