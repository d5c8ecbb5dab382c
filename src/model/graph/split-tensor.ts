/**
 * Fields of a graph that take a tensor apart along its first axis, one row for each name, by as few Splits as can be.
 * Where one Split has 7 parts at most:
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
 * Of one Split. WebGPU promises a shader 8 storage buffers, and the runtime takes one for each input and output: the
 * tensor and 7 parts. A Concat of more it runs in several passes by itself. Elsewhere one Split does it all, as each
 * more costs a small model some 2 % of its speed.
 */
export function mostParts(provider: Provider): number {
  return provider === 'webgpu' ? 7 : Number.POSITIVE_INFINITY;
}

/** From this version on Split takes the sizes of its parts as an input. */
const SIZES_AS_INPUT = 13;
/** And from this one it must be told into how many parts, where it has no sizes. */
const COUNTED = 18;

export interface SplitOptions {
  opset: number;
  /** Parts of one Split. */
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
 * As many parts as may be; those in front hold as much as a tree of Splits below them can, so that the others are
 * single rows.
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
  // Left to share the rows out alike, it need not read sizes at each step.
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
