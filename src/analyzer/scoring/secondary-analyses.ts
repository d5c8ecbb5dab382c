/**
 * What stands beside the headline of a group, from the same rows and with the same seed: the strict score beyond words too, and that of a
 * partner's later turns. Each has its own null, interval and p-value, and none where too few rows are left.
 */
import type { BesideReport, StrictReport } from '../../protocol/report.ts';
import { lagPairs } from '../../synchrony/syncr2/nulls.ts';
import { strictScore } from '../../synchrony/strict/strict-score.ts';
import type { TurnPairs } from '../../synchrony/types.ts';
import { emptyScore, strictReport, type ScoreJob } from './score-group.ts';
import type { BesideScore } from './messages.ts';

/** In turns; between two who alternate only odd lags exist. */
const LAGS = { lag3: 3, lag5: 5 } as const;

/** Nothing beside the score. */
export function emptyBeside(job: ScoreJob): BesideScore {
  const { run, version, seed, samples, rows } = emptyScore(job, '');
  const beside: BesideReport = { words: null, lag3: null, lag5: null };
  return {
    type: 'beside',
    run,
    group: job.group.group.key,
    version,
    seed,
    samples,
    beside,
    rows,
    computedMs: 0,
  };
}

export async function scoreBeside(job: ScoreJob): Promise<BesideScore> {
  const startedMs = job.nowMs();
  const empty = emptyBeside(job);
  const { pairs } = job.selection;
  const report = async (of: TurnPairs, beyond: 'history' | 'words'): Promise<StrictReport | null> => {
    const score = await strictScore(of, { algebra: job.algebra, seed: empty.seed, beyond });
    return 'reason' in score ? null : strictReport(score);
  };
  const beside: BesideReport = {
    words: pairs.reply.cols > 0 ? await report(pairs, 'words') : null,
    lag3: await report(lagPairs(pairs, LAGS.lag3), 'history'),
    lag5: await report(lagPairs(pairs, LAGS.lag5), 'history'),
  };
  return { ...empty, beside, computedMs: job.nowMs() - startedMs };
}
