/**
 * The numbers of a turn frame. They are kept once, as they came over the wire, in memory that all threads share; a
 * score unpacks what it
 * works on and lets go of it again.
 */
import type { DType, TurnFrame } from '../../protocol/stream/frames.ts';
import { BYTES_PER_VALUE, unpackTensor } from '../../protocol/stream/tensor.ts';

/** The numbers of one turn, unpacked. */
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

/**
 * The same as bytes, all in one SharedArrayBuffer: a message to another thread carries a reference, never a copy.
 * States are of type `dtype`,
 * the rest is float32.
 */
export interface SharedTurn {
  layers: number;
  dtype: DType;
  states: Uint8Array;
  text: Uint8Array;
  words: Uint8Array;
  sentence: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** In the place of numbers that were given back. */
export const NO_NUMBERS: SharedTurn = {
  layers: 0,
  dtype: 'f32',
  states: NOTHING,
  text: NOTHING,
  words: NOTHING,
  sentence: NOTHING,
};

/** The frame's own bytes may be reused when this returns. */
export function shareTurn({ layers, dtype, data, text, words, sentence = NOTHING }: TurnFrame): SharedTurn {
  const parts = [data, text, words, sentence];
  const shared = new SharedArrayBuffer(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  const [states, ...features] = parts.map((part) => {
    const place = new Uint8Array(shared, at, part.byteLength);
    place.set(part);
    at += part.byteLength;
    return place;
  }) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  return {
    layers: layers.length,
    dtype,
    states,
    text: features[0],
    words: features[1],
    sentence: features[2],
  };
}

/** How many bytes are kept of a turn. */
export const bytesOfTurn = ({ states, text, words, sentence }: SharedTurn): number =>
  states.byteLength + text.byteLength + words.byteLength + sentence.byteLength;

export function unpackTurn({ layers, dtype, states, text, words, sentence }: SharedTurn): TurnNumbers {
  return {
    layers,
    states: unpackTensor(dtype, states),
    text: unpackTensor('f32', text),
    words: unpackTensor('f32', words),
    sentence: unpackTensor('f32', sentence),
  };
}

/** Names the layers and dimensions of a turn: rows with different names cannot stand in one score. */
export function shapeOfTurn({ layers, dtype, states, text, words, sentence }: SharedTurn): string {
  const values = [text, words, sentence].map(({ byteLength }) => byteLength / BYTES_PER_VALUE.f32);
  return [layers, states.byteLength / BYTES_PER_VALUE[dtype], ...values].join('x');
}
