/** Selects the states of consecutive tokens from a pass, by the layers and the stride of the study. */
import type { Pass } from './decoder.ts';
import type { StepChoice, StepStates } from '../types.ts';

export interface StepBatch {
  role: StepStates['role'];
  step0: number;
  /** Byte range of each token of the pass. */
  bytes: [start: number, end: number][];
  pass: Pass;
}

export interface StepPicker {
  /** Layers to ask of the model; none if no steps are wanted. */
  layers: readonly number[];
  /** The wanted steps of a batch; undefined if there is none. */
  pick(batch: StepBatch): StepStates | undefined;
}

export function createStepPicker(steps: StepChoice | null, depth: number, dims: number): StepPicker {
  if (!steps) return { layers: [], pick: () => undefined };
  const all = Array.from({ length: depth + 1 }, (_, layer) => layer);
  const layers = steps.layers?.filter((layer) => layer <= depth) ?? all;
  const pick = ({ role, step0, bytes, pass }: StepBatch): StepStates | undefined => {
    const rows = bytes.map((_, row) => row).filter((row) => (step0 + row) % steps.every === 0);
    const first = rows[0];
    if (first === undefined || layers.length === 0) return undefined;
    const data = gather(pass, { layers, rows, dims });
    const ranges = rows.map((row) => bytes[row] ?? [0, 0]);
    return { role, step0: step0 + first, bytes: ranges as StepStates['bytes'], layers: [...layers], data };
  };
  return { layers, pick };
}

/** [rows, layers, dims], row-major. */
export function gather(
  pass: Pass,
  { layers, rows, dims }: { layers: readonly number[]; rows: readonly number[]; dims: number },
): Float32Array {
  const data = new Float32Array(rows.length * layers.length * dims);
  let at = 0;
  for (const row of rows) {
    for (const layer of layers) {
      const state = pass.states.get(layer);
      if (state) data.set(state.subarray(row * dims, (row + 1) * dims), at);
      at += dims;
    }
  }
  return data;
}
