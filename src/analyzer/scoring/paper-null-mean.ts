/** The mean of a null of the paper's figure over several draws, live and offline. */
import { deriveSeed } from '../../protocol/seed.ts';
import type { NoScore, PaperScore } from '../../synchrony/types.ts';

/** Number of draws of each null. */
const NULL_DRAWS = 5;

/** Mean SyncR² of a null over its draws with a score; null if none has one. */
export async function meanOfDraws(
  seed: number,
  draw: (seed: number) => Promise<PaperScore | NoScore>,
): Promise<number | null> {
  const values: number[] = [];
  for (let index = 0; index < NULL_DRAWS; index += 1) {
    const score = await draw(deriveSeed(seed, 'null', index));
    if (!('reason' in score)) values.push(score.syncR2);
  }
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
