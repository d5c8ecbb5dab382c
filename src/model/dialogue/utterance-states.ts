/**
 * Collects the states of an utterance while it is written: the state after its last published token, and the mean
 * over all of them.
 */
import { gather } from '../runtime/step-states.ts';
import type { Pass } from '../runtime/decoder.ts';

export interface UtteranceStates {
  /** Adds the state of a published token: the last row of `pass`. */
  take(pass: Pass): void;
  /** Without published tokens both are the state at the prompt's last position. */
  end(): { end: Float32Array; mean: Float32Array };
}

export interface UtteranceStatesOptions {
  layers: readonly number[];
  dims: number;
  /** [layers, dims] at the prompt's last position. */
  prompt: Float32Array;
}

/** Sums are kept in double precision. */
export function createUtteranceStates({ layers, dims, prompt }: UtteranceStatesOptions): UtteranceStates {
  const sum = new Float64Array(prompt.length);
  let tokens = 0;
  let last = prompt;
  return {
    take: (pass) => {
      last = gather(pass, { layers, rows: [0], dims });
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (last[i] as number);
      tokens++;
    },
    end: () => {
      const mean = tokens === 0 ? prompt : Float32Array.from(sum, (value) => value / tokens);
      return { end: last.slice(), mean: mean.slice() };
    },
  };
}
