/** The pairs of a recorded run: the mean over directions and speaking orders of what was measured, by the same code as live. */
import { pairPaper, pairsOf, pairStrict, placeOf, type PairMember } from '../analyzer/state/pair-means.ts';
import type { Group } from '../analyzer/ingest/episode-index.ts';
import type { Json } from './answers.ts';
import type { Measured } from './sync-r2.ts';

export interface MeasuredGroup {
  measured: Measured;
  seed: number;
  samples: number;
}

export interface MeasuredMember extends PairMember {
  mode: Measured['mode'];
}

export function memberOf(group: Group, { measured, seed, samples }: MeasuredGroup): MeasuredMember {
  const { mode, score } = measured;
  const bare = { group, seed, samples, mode, paper: null, strict: null, drawable: null };
  if ('reason' in score) return { ...bare, reason: `${score.reason}.` };
  if (measured.mode === 'strict' && 'shares' in score) return { ...bare, strict: score, drawable: score };
  if (measured.mode !== 'paper' || !('syncR2' in score)) return bare;
  const { syncR2, unclipped } = score;
  return { ...bare, paper: { score: syncR2, unclipped, nullMean: measured.shuffled, pseudoMean: null } };
}

/** In the mode that was asked for alone. */
export function measurePairs(members: readonly MeasuredMember[]): Json[] {
  const paper = members[0]?.mode === 'paper';
  return pairsOf(members)
    .toSorted((x, y) => (x.key < y.key ? -1 : 1))
    .map((pair) => {
      const { modelA, modelB, roleA, roleB, condition, agents, figures, samples } = placeOf(pair);
      const about = {
        models: [modelA, modelB],
        roles: [roleA, roleB],
        agents,
        condition,
        figures,
        n: samples,
      };
      return { ...about, ...(paper ? paperAnswer(pairPaper(pair)) : strictAnswer(pairStrict(pair))) };
    });
}

function paperAnswer(found: ReturnType<typeof pairPaper>): Json {
  if ('reason' in found) return { mode: 'paper', sync_r2: null, reason: found.reason };
  const { score, unclipped, nullMean } = found;
  return { mode: 'paper', sync_r2: score, sync_r2_unclipped: unclipped, shuffled_sync_r2: nullMean };
}

function strictAnswer(found: ReturnType<typeof pairStrict>): Json {
  if ('reason' in found) return { mode: 'strict', score: null, reason: found.reason };
  const { score, excess, nullMean, ciLow, ciHigh } = found;
  return { mode: 'strict', score, excess, null_mean: nullMean, ci: [ciLow, ciHigh] };
}
