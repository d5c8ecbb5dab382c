/** The states of an utterance as it is written: after its last published token, and their mean over all of them. */
import { gather } from '../runtime/step-states.ts';
import type { Pass } from '../runtime/decoder.ts';

export interface UtteranceStates {
  /** The states of one more published token: the last row of `pass`. */
  take(pass: Pass): void;
  /** Of an utterance without published tokens both are the state at the prompt's last position. */
  end(): { end: Float32Array; mean: Float32Array };
}

export interface UtteranceStatesOptions {
  layers: readonly number[];
  dims: number;
  /** [layers, dims]: at the prompt's last position. */
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
