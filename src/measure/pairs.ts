/** Pairs of a recorded run: means over directions and speaking orders, by the same code as in the analyzer. */
import { differencesOf, pairDifferencesOf } from '../analyzer/state/differences.ts';
import {
  distancesOf,
  pairPaper,
  pairsOf,
  pairStrict,
  placeOf,
  type PairMember,
} from '../analyzer/state/pair-means.ts';
import type { Group } from '../analyzer/ingest/episode-index.ts';
import type { Json } from './answers.ts';
import type { Measured } from './job.ts';

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
  const bare = { group, seed, samples, mode, paper: null, strict: null, replicates: null };
  if ('reason' in score) return { ...bare, reason: `${score.reason}.` };
  if (measured.mode === 'strict' && 'replicates' in score)
    return { ...bare, strict: score, replicates: score.replicates };
  if (measured.mode !== 'paper' || !('syncR2' in score)) return bare;
  const { syncR2, unclipped } = score;
  return { ...bare, paper: { score: syncR2, unclipped, nullMean: measured.shuffled, pseudoMean: null } };
}

/** Pairs in the requested mode. */
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

/**
 * Differences between conditions, of directions and of pairs, and means over the groups of one distance; only
 * in strict mode.
 */
export function measureContrasts(members: readonly MeasuredMember[]): Json {
  if (members[0]?.mode !== 'strict') return {};
  const figures = (of: { difference: number; ciLow: number; ciHigh: number; pValue: number }): Json => ({
    difference: of.difference,
    ci: [of.ciLow, of.ciHigh],
    p_value: of.pValue,
  });
  const directed = differencesOf(members).map(({ direction, distance, condition, against, ...of }) => ({
    source_model: of.sourceModel,
    target_model: of.targetModel,
    agents: of.agents,
    source_role: of.sourceRole,
    target_role: of.targetRole,
    distance,
    direction,
    condition,
    against,
    ...figures(of),
  }));
  const both = pairDifferencesOf(members).map(({ condition, against, ...of }) => ({
    models: [of.modelA, of.modelB],
    roles: [of.roleA, of.roleB],
    condition,
    against,
    ...figures(of),
  }));
  const distances = distancesOf(members).map(({ ciLow, ciHigh, ...of }) => ({ ...of, ci: [ciLow, ciHigh] }));
  return { differences: directed, pair_differences: both, ...(distances.length > 0 ? { distances } : {}) };
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
