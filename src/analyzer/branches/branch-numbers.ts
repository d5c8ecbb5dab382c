/** The numbers of a branch frame: kept once, as they came over the wire, in memory that all threads share. */
import type { BranchFrame, DType } from '../../protocol/stream/frames.ts';
import { unpackTensor } from '../../protocol/stream/tensor.ts';

export interface SharedBranch {
  /** Layer numbers. */
  layers: number[];
  dtype: DType;
  states: Uint8Array;
  /** Features of the words; empty if the frame has none. */
  text: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** The frame's own bytes may be reused when this returns. */
export function shareBranch({ layers, dtype, data, text = NOTHING }: BranchFrame): SharedBranch {
  const shared = new SharedArrayBuffer(data.byteLength + text.byteLength);
  const states = new Uint8Array(shared, 0, data.byteLength);
  const words = new Uint8Array(shared, data.byteLength, text.byteLength);
  states.set(data);
  words.set(text);
  return { layers, dtype, states, text: words };
}

export const bytesOfBranch = ({ states, text }: SharedBranch): number => states.byteLength + text.byteLength;

/** The state of one of its layers alone. */
export function layerOfBranch(branch: SharedBranch, layer: number): SharedBranch {
  const bytes = branch.states.byteLength / branch.layers.length;
  const row = branch.layers.indexOf(layer);
  return { ...branch, layers: [layer], states: branch.states.subarray(row * bytes, (row + 1) * bytes) };
}

/** [layers, dims] */
export const statesOf = ({ dtype, states }: SharedBranch): Float32Array => unpackTensor(dtype, states);
export const textOf = ({ text }: SharedBranch): Float32Array => unpackTensor('f32', text);

/** Branches with different layers or dims have different names here. */
export const shapeOfBranch = ({ layers, dtype, states }: SharedBranch): string =>
  `${layers.join(',')} ${dtype} ${states.byteLength}`;
