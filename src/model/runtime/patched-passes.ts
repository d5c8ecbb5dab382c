/**
 * Passes in which a state is moved. They run in a session of their own, whose graph has an input for each layer to be
 * patched, so that all other passes stay as they are: in bits and in speed. Both sessions have the same cache.
 */
import ort from '../../onnx/runtime.ts';
import { EntrainError } from '../../protocol/errors.ts';
import type { GraphIo } from './graph-io.ts';

/** What is added to the state of one layer at the last position of a pass. */
export interface StatePatch {
  /** 1..L */
  layer: number;
  /** [dims] */
  delta: Float32Array;
}

/**
 * The patch inputs of a pass by name, [tokens × dims] each: zeros, and the patch in the last row of its layer.
 * @throws EntrainError `MODEL_UNSUPPORTED` where the graph has no input for the layer
 */
export function patchFeeds(
  { patches }: Pick<GraphIo, 'patches'>,
  { tokens, dims, patch }: { tokens: number; dims: number; patch: StatePatch | undefined },
): Record<string, ort.Tensor> {
  if (patch && !patches.some(({ layer }) => layer === patch.layer)) throw noInput(patch.layer);
  const feeds: Record<string, ort.Tensor> = {};
  for (const { layer, info } of patches) {
    const data = new Float32Array(tokens * dims);
    if (patch?.layer === layer) data.set(patch.delta, (tokens - 1) * dims);
    feeds[info.name] = new ort.Tensor('float32', data, [tokens * dims]);
  }
  return feeds;
}

function noInput(layer: number): EntrainError {
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `The state of layer ${layer} cannot be moved here, expected a layer of branches.patch.layers; start the agent again.`,
  );
}
