/** The numbers of a turn frame, unpacked: what the measures work on. */
import type { TurnFrame } from '../../protocol/stream/frames.ts';
import { unpackTensor } from '../../protocol/stream/tensor.ts';

/** The numbers of one turn. */
export interface TurnNumbers {
  layers: number;
  /** [layers, dims]. */
  states: Float32Array;
  /** Hashed n-grams of the prompt. */
  text: Float32Array;
  /** [dims]: mean token embedding of the prompt. */
  words: Float32Array;
  /** The prompt by a sentence encoder; empty where the agent has none. */
  sentence: Float32Array;
}

export function turnNumbers(frame: TurnFrame): TurnNumbers {
  return {
    layers: frame.layers.length,
    states: unpackTensor(frame.dtype, frame.data),
    text: unpackTensor('f32', frame.text),
    words: unpackTensor('f32', frame.words),
    sentence: frame.sentence ? unpackTensor('f32', frame.sentence) : new Float32Array(0),
  };
}

type OwnBytes = Record<'data' | 'text' | 'words', Uint8Array<ArrayBuffer>>;

/** The frame with its bytes in buffers of their own, which can be given to a thread. */
export function ownBytes(frame: TurnFrame): TurnFrame & OwnBytes {
  const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
  const { sentence } = frame;
  return {
    ...frame,
    data: own(frame.data),
    text: own(frame.text),
    words: own(frame.words),
    ...(sentence ? { sentence: own(sentence) } : {}),
  };
}
