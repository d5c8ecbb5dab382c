/** How many samples a score needs, and whether a study can ever give so many. */
import type { Study } from './study.ts';

/** Under these there is no number: with fewer, a score says more about chance than about two agents. */
export const MINIMUMS = { scenarios: 6, episodes: 18, samples: 120 } as const;

export type SampleCounts = Record<keyof typeof MINIMUMS, number>;

/** What is wanting for a score; undefined when nothing is. */
export function shortOf(counts: SampleCounts): string | undefined {
  const short = (['scenarios', 'episodes', 'samples'] as const)
    .filter((what) => counts[what] < MINIMUMS[what])
    .map((what) => `${counts[what]} of ${MINIMUMS[what]} ${what === 'samples' ? 'turn pairs' : what}`);
  return short.length === 0 ? undefined : short.join(', ');
}

/** Said before a study begins that cannot give a score; undefined for one that can. */
export function hopelessStudy(study: Study): string | undefined {
  const short = shortOf(mostOf(study));
  return short && `this study can give at most ${short} a group: no score will appear`;
}

/** The most that any group can hold: every agent has the same model, and every dialogue goes on to its last turn. */
function mostOf({ scenarios, episodes, pairs, maxTurns }: Study): SampleCounts {
  const most = episodes * scenarios.length * pairs.length;
  return { scenarios: scenarios.length, episodes: most, samples: most * Math.floor(maxTurns / 2) };
}
