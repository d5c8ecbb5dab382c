/** Chooses the tensors of the residual stream that enter the first block and leave each block. */
import { EntrainError } from '../../protocol/errors.ts';
import type { Cut, Link } from './residual-chain.ts';

/** Index = layer: 0 enters the first block, i leaves block i. */
export type Taps = Link[];

/**
 * A block starts where its first branch leaves the stream. The output of the last block is as far behind its last merge
 * as in the other blocks.
 * @throws EntrainError `MODEL_UNSUPPORTED` if the stream has no such blocks, or a tensor's name contradicts the result
 */
export function findTaps(chain: readonly Cut[], layers: number): Taps {
  const merges = [...chain.keys()].filter((index) => chain[index]?.merges);
  const { starts, end } = placeBlocks(
    merges.map((index) => chain[index]?.attends ?? false),
    layers,
  );
  const places = starts.map((merge, layer) => entryOf(chain, { merge, merges, layer }));
  places.push(exitOf(chain, { merges, starts, places, end }));
  const taps = places.flatMap((place) => chain[place] ?? []);
  checkNames(taps);
  refuseHidden(taps);
  return taps.map(({ link }) => link);
}

interface Blocks {
  /** Index of the first merge of each block. */
  starts: number[];
  /** Index of the last merge of the last block. */
  end: number;
}

/** One for attention and one for the feed-forward part; assumed if the graph does not tell. */
const USUAL_MERGES = 2;

/** Divides the merges evenly among the layers; if that leaves a remainder, blocks start at their attention. */
function placeBlocks(attends: readonly boolean[], layers: number): Blocks {
  const size = attends.length / layers;
  const attention = [...attends.keys()].filter((merge) => attends[merge]);
  if (attention.length > 0 && attention.length !== layers)
    throw noTaps(`has ${attention.length} blocks with attention`, layers);
  const even = Array.from({ length: layers }, (_, i) => i * size);
  const isEven = even.every(
    (merge, i) => attention.length === 0 || attention[i] === merge + (attention[0] ?? 0),
  );
  const most = attention.length > 0 && layers > 1 ? Infinity : USUAL_MERGES;
  if (Number.isInteger(size) && size > 0 && size <= most && isEven)
    return { starts: even, end: attends.length - 1 };
  if (attention.length === 0) throw noTaps(`has ${attends.length} additions`, layers);
  const [last = 0, before] = attention.toReversed();
  const merges = before === undefined ? USUAL_MERGES : last - before;
  return { starts: attention, end: Math.min(last + merges, attends.length) - 1 };
}

interface Entry {
  merge: number;
  merges: readonly number[];
  layer: number;
}

/** The cut where the block's branch leaves the stream, or an earlier one that a name assigns to the block. */
function entryOf(chain: readonly Cut[], { merge, merges, layer }: Entry): number {
  const earliest = merge > 0 ? (merges[merge - 1] ?? 0) : 0;
  let place = (merges[merge] ?? 0) - 1;
  while (place > earliest && blockOf(chain[place]) === layer) place--;
  return place;
}

interface Exit {
  merges: readonly number[];
  starts: readonly number[];
  places: readonly number[];
  end: number;
}

/** A norm, a scale or a reshape between a merge and the next block belongs to the block before. */
function exitOf(chain: readonly Cut[], { merges, starts, places, end }: Exit): number {
  const last = starts.at(-1) ?? 0;
  const [sum, next] =
    starts.length > 1 ? [merges[last - 1], places.at(-1)] : [merges[0], (merges[1] ?? 0) - 1];
  const exit = merges[end] ?? 0;
  const steps = Math.max(0, (next ?? 0) - (sum ?? 0));
  const ops = (from: number): string =>
    chain
      .slice(from + 1, from + 1 + steps)
      .map(({ op }) => op)
      .join();
  return steps > 0 && ops(exit) === ops(sum ?? 0) ? exit + steps : exit;
}

function noTaps(what: string, layers: number): EntrainError {
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `The graph's residual stream ${what}, expected some for each of the ${layers} layers in config.json; ` +
      `check num_hidden_layers, or export the model as a plain decoder.`,
  );
}

function refuseHidden(taps: readonly Cut[]): void {
  for (const [layer, { link }] of taps.entries()) {
    if (link.inside === undefined) continue;
    throw new EntrainError(
      'MODEL_UNSUPPORTED',
      `The state of layer ${layer} stays within the graph's function ${link.inside}, expected a tensor of the graph itself; ` +
        'inline the functions of the export (onnx.inliner.inline_local_functions).',
    );
  }
}

function blockOf(cut: Cut | undefined): number | undefined {
  const named = /(?:layers?|\bh|blocks?)[./_](\d+)[./_]/.exec(cut?.label ?? '')?.[1];
  return named === undefined ? undefined : Number(named);
}

/**
 * If a tap's name contains a layer, it must be the block that the tap leaves, or the next one, whose input norm may
 * name the sum.
 */
function checkNames(taps: readonly Cut[]): void {
  for (const [layer, tap] of taps.entries()) {
    const named = layer === 0 ? undefined : blockOf(tap);
    if (named === undefined || named === layer - 1 || named === layer) continue;
    throw new EntrainError(
      'MODEL_UNSUPPORTED',
      `By structure the state after block ${layer} is ${tap.link.tensor}, whose name says another layer; ` +
        `check num_hidden_layers in config.json.`,
    );
  }
}
