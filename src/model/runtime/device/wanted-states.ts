/**
 * States that a pass is asked for, in a graph that gives no others: their indices are an input, and the graph gathers
 * them on the device.
 */
import ort from '../../../onnx/runtime.ts';
import type { ValueInfo } from '../graph-io.ts';

/** @returns index of each wanted state among [layers + 1, tokens], by layer; one where none is wanted */
export function wantedFeed(
  { name }: ValueInfo,
  { layers, tokens }: { layers: readonly number[]; tokens: number },
): Record<string, ort.Tensor> {
  const rows = layers.flatMap((layer) => Array.from({ length: tokens }, (_, i) => layer * tokens + i));
  const indices = BigInt64Array.from(rows.length > 0 ? rows : [0], BigInt);
  return { [name]: new ort.Tensor('int64', indices, [indices.length]) };
}

/**
 * Unpacks logits and wanted states.
 * @returns `states`: an array [tokens, dims] by layer, undefined for those that were not wanted
 */
export function unpackWanted(
  packed: Float32Array,
  { layers, tokens, dims }: { layers: readonly number[]; tokens: number; dims: number },
): { logits: Float32Array; states: (Float32Array | undefined)[] } {
  const size = tokens * dims;
  const logits = packed.subarray(0, packed.length - (layers.length * size || dims));
  const states: (Float32Array | undefined)[] = [];
  for (const [i, layer] of layers.entries())
    states[layer] = packed.subarray(logits.length + i * size, logits.length + (i + 1) * size);
  return { logits, states };
}
