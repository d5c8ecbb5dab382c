/**
 * The states and text features of a turn frame. They are kept once, as they were sent, in memory shared by all
 * threads; a score unpacks what it needs and drops it afterwards.
 */
import type { DType, TurnFrame } from '../../protocol/stream/frames.ts';
import { BYTES_PER_VALUE, unpackTensor } from '../../protocol/stream/tensor.ts';

/** States and features of one turn, unpacked. */
export interface TurnNumbers {
  layers: number;
  /** [layers, dims]. */
  states: Float32Array;
  /** Hashed n-grams of the prompt. */
  text: Float32Array;
  /** [dims]: mean token embedding of the prompt. */
  words: Float32Array;
  /** The prompt by a sentence encoder; empty if the agent has none. */
  sentence: Float32Array;
}

/**
 * States and features as bytes in one SharedArrayBuffer, so that a message to another thread carries a reference and
 * no copy. States have type `dtype`, everything else is float32.
 */
export interface SharedTurn {
  layers: number;
  dtype: DType;
  states: Uint8Array;
  text: Uint8Array;
  words: Uint8Array;
  sentence: Uint8Array;
  /** States of the third person in `paper-reader`, in float32; absent in other conditions. */
  reader?: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Placeholder for states that were released. */
export const NO_NUMBERS: SharedTurn = {
  layers: 0,
  dtype: 'f32',
  states: NOTHING,
  text: NOTHING,
  words: NOTHING,
  sentence: NOTHING,
};

/** Copies a frame into shared memory; on return the frame's bytes may be reused. */
export function shareTurn(frame: TurnFrame): SharedTurn {
  const { layers, dtype, data, text, words, sentence = NOTHING, reader } = frame;
  const parts = [data, text, words, sentence, ...(reader ? [reader] : [])];
  const shared = new SharedArrayBuffer(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  const [states, ...features] = parts.map((part) => {
    const place = new Uint8Array(shared, at, part.byteLength);
    place.set(part);
    at += part.byteLength;
    return place;
  }) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array?];
  return {
    layers: layers.length,
    dtype,
    states,
    text: features[0],
    words: features[1],
    sentence: features[2],
    ...(features[3] ? { reader: features[3] } : {}),
  };
}

/** Bytes kept of a turn. */
export const bytesOfTurn = ({ states, text, words, sentence, reader = NOTHING }: SharedTurn): number =>
  states.byteLength + text.byteLength + words.byteLength + sentence.byteLength + reader.byteLength;

/** The turn with the states of the third person in place of the speaker's; no states where there are none. */
export const asRead = ({ reader, ...turn }: SharedTurn): SharedTurn =>
  reader ? { ...turn, dtype: 'f32', states: reader } : { ...turn, states: NOTHING };

export function unpackTurn({ layers, dtype, states, text, words, sentence }: SharedTurn): TurnNumbers {
  return {
    layers,
    states: unpackTensor(dtype, states),
    text: unpackTensor('f32', text),
    words: unpackTensor('f32', words),
    sentence: unpackTensor('f32', sentence),
  };
}

/** Key of a turn's layers and dimensions: rows with different keys cannot be in one score. */
export function shapeOfTurn({ layers, dtype, states, text, words, sentence }: SharedTurn): string {
  const values = [text, words, sentence].map(({ byteLength }) => byteLength / BYTES_PER_VALUE.f32);
  return [layers, states.byteLength / BYTES_PER_VALUE[dtype], ...values].join('x');
}
