/** One group's scores beside their nulls, from its rows. The seed follows from the group alone, so that equal recordings score equally. */
import { deriveSeed } from '../../protocol/seed.ts';
import { shortOf, tooFew } from '../../protocol/minimums.ts';
import type { PaperReport, StrictReport } from '../../protocol/report.ts';
import type { Drawable } from '../../synchrony/stats/bootstrap.ts';
import { pseudoPairs } from '../../synchrony/syncr2/nulls.ts';
import { paperScore, withPaper } from '../../synchrony/syncr2/paper-mode.ts';
import { strictScoreFrozen } from '../../synchrony/online/point-score.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import type { NoScore, StrictScore, TurnPairs } from '../../synchrony/types.ts';
import type { Group } from '../ingest/episode-index.ts';
import type { GroupRows, Selection } from '../ingest/group-rows.ts';
import { meanOfDraws } from './null-draws.ts';
import type { FrozenFit, GroupScore } from './messages.ts';

export interface ScoreJob {
  run: string;
  group: GroupRows;
  selection: Selection;
  algebra: LinearAlgebra;
  /** Monotonic. */
  nowMs(): number;
  /** Given what point scores go on from, when there is a strict score. */
  onFrozen?(fit: FrozenFit): void;
}

/** Of every random choice in a group's scores; equal for equal groups of all runs. */
export function groupSeed(group: Group): number {
  const { direction, condition, source, target, agents, sourceRole, targetRole } = group;
  const roles = agents === 2 ? [] : [agents, sourceRole, targetRole];
  return deriveSeed('score', source.name, target.name, direction, condition, ...roles);
}

/** A score without numbers. */
export function emptyScore(
  { run, group, selection }: Pick<ScoreJob, 'run' | 'group' | 'selection'>,
  reason: string,
): GroupScore {
  return {
    type: 'score',
    run,
    group: group.group,
    version: group.version,
    seed: groupSeed(group.group),
    samples: selection.counts.samples,
    leftOut: selection.leftOut,
    paper: null,
    strict: null,
    drawable: null,
    reason,
    rows: selection.rows,
    computedMs: 0,
  };
}

export async function scoreGroup(job: ScoreJob): Promise<GroupScore> {
  const startedMs = job.nowMs();
  const short = shortOf(job.selection.counts);
  const { reason: _, ...empty } = emptyScore(job, '');
  if (short !== undefined) return { ...empty, reason: tooFew(short) };
  const { pairs } = job.selection;
  const tools = { seed: empty.seed, algebra: job.algebra };
  const paper = await paperReport(pairs, tools);
  const { score: strict, frozen } = await strictScoreFrozen(pairs, tools);
  if (frozen) {
    const { rows, shape } = job.selection;
    const { run, group } = job;
    job.onFrozen?.({
      run,
      group: group.group.key,
      version: group.version,
      rows,
      shape,
      frozen,
    });
  }
  const reason = [strict, paper].flatMap((part) => ('reason' in part ? [part.reason] : []))[0];
  return {
    ...empty,
    paper: 'reason' in paper ? null : paper,
    ...('reason' in strict ? {} : { strict: strictReport(strict), drawable: drawableOf(strict) }),
    ...(reason === undefined ? {} : { reason }),
    computedMs: job.nowMs() - startedMs,
  };
}

const drawableOf = ({ shares, nullScores }: StrictScore): Drawable => ({ shares, nullScores });

export function strictReport(score: StrictScore): StrictReport {
  const { excess, pValue, nullMean, nullQ95, ci, n } = score;
  return {
    score: score.score,
    excess,
    ciLow: ci.low,
    ciHigh: ci.high,
    pValue,
    nullMean,
    nullQ95,
    samples: n,
  };
}

interface Tools {
  seed: number;
  algebra: LinearAlgebra;
}

async function paperReport(pairs: TurnPairs, tools: Tools): Promise<PaperReport | NoScore> {
  const { seed } = tools;
  const found = await withPaper(pairs, tools, async (draw) => ({
    score: await draw({ seed }),
    shuffled: await meanOfDraws(seed, (other) => draw({ seed: other, shuffled: true })),
  }));
  if ('reason' in found) return found;
  const { score, shuffled } = found;
  if ('reason' in score) return score;
  const pseudo = (draw: number) => paperScore(pseudoPairs(pairs, draw), { ...tools, seed: draw });
  return {
    score: score.syncR2,
    unclipped: score.unclipped,
    nullMean: shuffled,
    pseudoMean: await meanOfDraws(seed, pseudo),
    samples: pairs.n,
  };
}
