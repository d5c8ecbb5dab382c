/** The steps of one stream in one turn. A later frame may replace what an earlier one sent. */
import type { ByteRange } from '../../synchrony/steps/align-steps.ts';
import { zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { StepsFrame } from '../../protocol/stream/frames.ts';
import { unpackTensor } from '../../protocol/stream/tensor.ts';
import type { Origin } from '../ingest/episode-index.ts';

export interface TurnSteps {
  role: StepsFrame['role'];
  layers: number[];
  dims: number;
  steps: { range: ByteRange; /** [layers, dims] */ states: Float32Array }[];
  /** The last frame that was used: STREAM EPOCH SEQ. */
  last: string;
}

/** Layer → [steps, dims]. */
export type StepLayers = Map<number, Matrix>;

/** Adds a frame. Earlier steps at or after the first step of the frame were wrong and are replaced. */
export function addSteps(known: TurnSteps | undefined, frame: StepsFrame, origin: Origin): TurnSteps {
  const [, depth, dims] = frame.shape;
  const values = unpackTensor(frame.dtype, frame.data);
  const size = depth * dims;
  const added = frame.bytes.map((range, step) => ({
    range,
    states: values.subarray(step * size, (step + 1) * size),
  }));
  const from = frame.bytes[0]?.[0] ?? 0;
  const kept = known && sameShape(known, frame) ? known.steps.filter(({ range }) => range[0] < from) : [];
  const last = `${origin.stream} ${origin.epoch} ${origin.seq}`;
  return { role: frame.role, layers: frame.layers, dims, steps: [...kept, ...added], last };
}

function sameShape({ layers, dims }: TurnSteps, frame: StepsFrame): boolean {
  return dims === frame.shape[2] && layers.join() === frame.layers.join();
}

export const bytesOfSteps = ({ steps }: TurnSteps): number =>
  steps.reduce((sum, { states }) => sum + states.byteLength, 0);

/** The chosen steps, layer by layer. */
export function layersOfSteps(side: TurnSteps, places: readonly number[]): StepLayers {
  return new Map(
    side.layers.map((layer, index) => {
      const rows = zeros(places.length, side.dims);
      for (const [r, place] of places.entries()) {
        const states = side.steps[place]?.states.subarray(index * side.dims, (index + 1) * side.dims);
        if (states) rows.data.set(states, r * side.dims);
      }
      return [layer, rows];
    }),
  );
}
