/** Under these there is no number: with fewer, a score says more about chance than about two agents. */
export const MINIMUMS = { scenarios: 6, episodes: 18, samples: 120 } as const;

export type SampleCounts = Record<keyof typeof MINIMUMS, number>;

/** Why a group has too few samples for a score; undefined when it has enough. */
export function tooFewSamples(counts: SampleCounts): string | undefined {
  const short = (['scenarios', 'episodes', 'samples'] as const)
    .filter((what) => counts[what] < MINIMUMS[what])
    .map((what) => `${counts[what]} of ${MINIMUMS[what]} ${what === 'samples' ? 'turn pairs' : what}`);
  return short.length === 0 ? undefined : `Too few yet: ${short.join(', ')}.`;
}
