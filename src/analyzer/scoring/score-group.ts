/**
 * Computes one group's scores and nulls from its rows. All random choices follow from the study's seed and the group,
 * so equal recordings give equal scores.
 */
import { deriveSeed } from '../../protocol/seed.ts';
import { shortOf } from '../../protocol/minimums.ts';
import type { EstimateReport, PaperReport, StrictReport } from '../../protocol/reports/score-report.ts';
import type { StudyPlan } from '../../protocol/stream/frames.ts';
import { pseudoPairs, textPairs } from '../../synchrony/syncr2/nulls.ts';
import { paperScore, withPaper } from '../../synchrony/syncr2/paper-mode.ts';
import { permutationsFor } from '../../synchrony/strict/permutations.ts';
import { STRICT_METHOD, strictScore, type StrictOptions } from '../../synchrony/strict/strict-score.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import type { NoScore, PaperScore, StrictEstimate, StrictScore, TurnPairs } from '../../synchrony/types.ts';
import type { Group } from '../ingest/episode-index.ts';
import { fewestPairs, type GroupRows, type Selection } from '../ingest/group-rows.ts';
import { meanOfDraws } from './paper-null-mean.ts';
import type { GroupScore } from './messages.ts';

export interface ScoreJob {
  run: string;
  group: GroupRows;
  selection: Selection;
  algebra: LinearAlgebra;
  /** Monotonic. */
  nowMs(): number;
}

/** Seed of all random choices in a group's scores. */
export function groupSeed(group: Group, plan: StudyPlan | undefined): number {
  const { direction, condition, source, target, agents, sourceRole, targetRole } = group;
  const roles = agents === 2 ? [] : [agents, sourceRole, targetRole];
  const study = plan ? [plan.seed] : [];
  return deriveSeed('score', source.name, target.name, direction, condition, ...roles, ...study);
}

/** Options that follow from the group and its study; they do not depend on what was said. */
export function strictOptions(group: Group, plan: StudyPlan | undefined): Omit<StrictOptions, 'algebra'> {
  return {
    seed: groupSeed(group, plan),
    permutations: permutationsFor(plan?.groups ?? 1),
    shortest: plan && fewestPairs(group, plan.minTurns),
  };
}

/** A score without figures. */
export function emptyScore(
  { run, group, selection }: Pick<ScoreJob, 'run' | 'group' | 'selection'>,
  reason: string,
): GroupScore {
  return {
    type: 'score',
    run,
    group: group.group,
    version: group.version,
    seed: groupSeed(group.group, selection.plan),
    samples: selection.counts.samples,
    leftOut: selection.leftOut,
    paper: null,
    strict: null,
    method: STRICT_METHOD,
    replicates: null,
    reason,
    rows: selection.rows,
    computedMs: 0,
  };
}

export async function scoreGroup(job: ScoreJob): Promise<GroupScore> {
  const startedMs = job.nowMs();
  const short = shortOf(job.selection.counts);
  const { reason: _, ...empty } = emptyScore(job, '');
  if (short !== undefined) return { ...empty, reason: `Too few for a score: ${short}.` };
  const { pairs, plan } = job.selection;
  const { algebra } = job;
  const paper = await paperReport(pairs, { seed: empty.seed, algebra });
  const strict = await strictScore(pairs, { ...strictOptions(job.group.group, plan), algebra });
  const reason = [strict, paper].flatMap((part) => ('reason' in part ? [part.reason] : []))[0];
  return {
    ...empty,
    paper: 'reason' in paper ? null : paper,
    ...('reason' in strict ? {} : { strict: strictReport(strict), replicates: strict.replicates }),
    ...(reason === undefined ? {} : { reason }),
    computedMs: job.nowMs() - startedMs,
  };
}

export function estimateReport({ score, excess, nullMean, ci, n }: StrictEstimate): EstimateReport {
  return { score, excess, ciLow: ci.low, ciHigh: ci.high, nullMean, samples: n };
}

export function strictReport(score: StrictScore): StrictReport {
  const { pValue, z, permutations } = score;
  return { ...estimateReport(score), pValue, z, permutations };
}

const syncR2Of = (score: PaperScore | NoScore): number | null => ('reason' in score ? null : score.syncR2);

interface Tools {
  seed: number;
  algebra: LinearAlgebra;
}

async function paperReport(pairs: TurnPairs, tools: Tools): Promise<PaperReport | NoScore> {
  const { seed } = tools;
  const found = await withPaper(pairs, tools, async (draw) => ({
    score: await draw({ seed }),
    byEpisode: await draw({ seed, unit: 'episode' }),
    shuffled: await meanOfDraws(seed, (other) => draw({ seed: other, shuffled: true })),
  }));
  if ('reason' in found) return found;
  const { score, byEpisode, shuffled } = found;
  if ('reason' in score) return score;
  const pseudo = (draw: number) => paperScore(pseudoPairs(pairs, draw), { ...tools, seed: draw });
  return {
    score: score.syncR2,
    unclipped: score.unclipped,
    nullMean: shuffled,
    pseudoMean: await meanOfDraws(seed, pseudo),
    textOnly: pairs.history.cols > 0 ? syncR2Of(await paperScore(textPairs(pairs), tools)) : null,
    byEpisode: syncR2Of(byEpisode),
    samples: pairs.n,
  };
}
