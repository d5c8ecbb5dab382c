/**
 * Interval of the correlation of two tables over pairs of models, by drawing as many models again with replacement.
 * Formula: a sample takes the rows and columns of the models drawn; where one is drawn twice, the cell between its two
 * copies is that of the model with itself, and left out without one. The interval reaches from the 2.5th to the 97.5th
 * percentile of r over the samples that have one.
 * Range: −1 to 1.
 * Reference: Efron, 1979; Snijders, Borgatti, 1999 (who draw a cell at random where a model is not with itself).
 * No interval: fewer than four models, or an r in fewer than half of the samples.
 */
import { seededRandom } from '../../numeric/random.ts';
import type { Interval, NoScore } from '../types.ts';
import { tableCorrelation, type PairTable } from './qap.ts';

const FEWEST_MODELS = 4;
const SAMPLES = 2000;

export function modelBootstrap(
  x: PairTable,
  y: PairTable,
  { samples = SAMPLES, seed }: { samples?: number; seed: number },
): Interval | NoScore {
  const models = x.length;
  if (models < FEWEST_MODELS)
    return { reason: `a bootstrap takes ${FEWEST_MODELS} models, there are ${models}` };
  const random = seededRandom(seed, 29);
  const found = Array.from({ length: samples }, () => {
    const drawn = Array.from({ length: models }, () => random.below(models));
    return tableCorrelation(drawnFrom(x, drawn), drawnFrom(y, drawn));
  })
    .filter((r) => r !== undefined)
    .toSorted((a, b) => a - b);
  if (found.length < samples / 2) return { reason: 'most samples of the models have no correlation' };
  return { low: percentile(found, 0.025), high: percentile(found, 0.975) };
}

const drawnFrom = (table: PairTable, drawn: readonly number[]): PairTable =>
  drawn.map((row) => drawn.map((column) => table[row]?.[column]));

/** Between the two nearest values of a sorted list. */
function percentile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return low + (high - low) * (at - Math.floor(at));
}
