/**
 * Graph fields that split a tensor along its first axis, one row for each name, by as few Split nodes as possible. With
 * at most 7 parts a node:
 *
 *   entrain_recent_cast, 24 rows ─▶ Split ─┬▶ 7 rows ─▶ Split ─▶ 7 names
 *                                          ├▶ 7 rows ─▶ Split ─▶ 7 names
 *                                          ├▶ 6 rows ─▶ Split ─▶ 6 names
 *                                          └▶ 4 names
 */
import { concat } from '../../onnx/protobuf.ts';
import type { Provider } from '../types.ts';
import { integersField, nodeField } from '../../onnx/write-node.ts';

/**
 * Largest number of parts of one Split. WebGPU guarantees a shader 8 storage buffers, and the runtime takes one for
 * each input and output: the tensor and 7 parts. (It runs a larger Concat in several passes by itself.) Other providers
 * have no limit, and each further Split costs a small model about 2 % of its speed.
 */
export function mostParts(provider: Provider): number {
  return provider === 'webgpu' ? 7 : Number.POSITIVE_INFINITY;
}

/** From this version on Split takes the sizes of its parts as an input. */
const SIZES_AS_INPUT = 13;
/** From this version on Split needs the number of parts if it gets no sizes. */
const COUNTED = 18;

export interface SplitOptions {
  opset: number;
  /** Largest number of parts of one Split. */
  most: number;
}

export function splitTensor(tensor: string, names: readonly string[], options: SplitOptions): Uint8Array {
  const sizes = partSizes(names.length, options.most);
  const parts: string[] = [];
  const deeper: Uint8Array[] = [];
  let taken = 0;
  for (const [i, size] of sizes.entries()) {
    const [name = '', ...others] = names.slice(taken, taken + size);
    const part = others.length > 0 ? `${tensor}.${i}` : name;
    if (others.length > 0) deeper.push(splitTensor(part, [name, ...others], options));
    parts.push(part);
    taken += size;
  }
  return concat([...splitFields({ tensor, parts, sizes, opset: options.opset }), ...deeper]);
}

/**
 * Sizes of the parts: as many parts as allowed, the first ones as large as a tree of Splits below them can take, so
 * that the others are single rows.
 */
function partSizes(rows: number, most: number): number[] {
  let room = 1;
  while (room * most < rows) room *= most;
  const sizes: number[] = [];
  let rest = rows;
  for (let left = Math.min(most, rows); left > 0; left -= 1) {
    const size = Math.min(room, rest - left + 1);
    sizes.push(size);
    rest -= size;
  }
  return sizes;
}

interface OneSplit {
  tensor: string;
  parts: readonly string[];
  sizes: readonly number[];
  opset: number;
}

function splitFields({ tensor, parts, sizes, opset }: OneSplit): Uint8Array[] {
  const split = { op: 'Split', outputs: parts };
  const counted = opset >= COUNTED ? { num_outputs: parts.length } : {};
  // Without explicit sizes Split need not read them at each step.
  if (sizes.every((size) => size === 1))
    return [nodeField({ ...split, inputs: [tensor], attributes: { axis: 0, ...counted } })];
  if (opset < SIZES_AS_INPUT)
    return [nodeField({ ...split, inputs: [tensor], attributes: { axis: 0, split: sizes } })];
  const sizesName = `${tensor}_sizes`;
  return [
    integersField(sizesName, sizes),
    nodeField({ ...split, inputs: [tensor, sizesName], attributes: { axis: 0 } }),
  ];
}
