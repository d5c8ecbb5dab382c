import { shortOf, type SampleCounts } from '../protocol/minimums.ts';

export type { SampleCounts };

/** Why a group has too few samples for a score; undefined when it has enough. */
export function tooFewSamples(counts: SampleCounts): string | undefined {
  const short = shortOf(counts);
  return short === undefined ? undefined : `Too few for a score: ${short}.`;
}
