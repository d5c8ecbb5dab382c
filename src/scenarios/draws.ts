/** Draws of scenarios by seed, number for number those of `training/entrain_training/tasks/draws.py`. */
import { createRandom } from '../protocol/random.ts';

export interface Draws {
  /** A whole number from 0 to count − 1; takes one number of the generator. */
  below(count: number): number;
  pick<T>(choices: readonly T[]): T;
  /** So many different ones, in the order of drawing. */
  sample<T>(choices: readonly T[], count: number): T[];
}

export function createDraws(seed: number): Draws {
  const next = createRandom(seed);
  const below = (count: number): number => Math.floor(next() * count);
  return {
    below,
    pick: (choices) => choices[below(choices.length)] as (typeof choices)[number],
    sample: (choices, count) => {
      const rest = [...choices];
      return Array.from(
        { length: count },
        () => rest.splice(below(rest.length), 1)[0] as (typeof rest)[number],
      );
    },
  };
}
