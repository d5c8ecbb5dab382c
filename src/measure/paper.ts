/**
 * `entrain measure sync-r2 --mode paper`: SyncR² as published, and what it is to be held against: the same from text
 * features alone, with smaller and larger units of the splits, and at later turns.
 */
import { EntrainError } from '../protocol/errors.ts';
import { lagPairs, textPairs } from '../synchrony/syncr2/nulls.ts';
import { withPaper } from '../synchrony/syncr2/paper-mode.ts';
import { unitsOf, type PaperUnit } from '../synchrony/syncr2/paper-splits.ts';
import type { LinearAlgebra } from '../numeric/linear-algebra.ts';
import type { NoScore, PaperScore, TurnPairs } from '../synchrony/types.ts';
import { meanOfDraws } from '../analyzer/scoring/paper-null-mean.ts';
import { paperAnswer, type Json } from './answers.ts';
import { readSplits, type Splits } from './splits.ts';
import { seedOf, type Measured, type MeasureJob } from './job.ts';

const PENALTY = 0.1;
/** Lags in turns beside the answer; two agents who alternate have only odd ones. */
const LATER = [3, 5];

/** Labels of episodes, where splits may name them; otherwise their ids. */
const namesOf = (pairs: TurnPairs, { episodeIds }: MeasureJob): ReadonlyMap<string, number> =>
  episodeIds ?? new Map(Array.from(pairs.episode, (id) => [String(id), id]));

interface Fit {
  algebra: LinearAlgebra;
  lambda: number;
  seed: number;
  splits: number | number[][];
}

/** What the flags ask for, and the file of splits. */
export async function fitOf(
  job: Pick<MeasureJob, 'flags' | 'fallbacks' | 'algebra'>,
  names: ReadonlyMap<string, number>,
): Promise<Fit & { file: Splits | undefined }> {
  const { flags, algebra } = job;
  const file = flags.splits === undefined ? undefined : await readSplits(flags.splits, names);
  const lambda = penalty(flags.alpha) ?? file?.alpha ?? PENALTY;
  return { algebra, lambda, seed: seedOf(job), splits: file?.testEpisodes ?? 3, file };
}

export async function measurePaper(pairs: TurnPairs, job: MeasureJob): Promise<Measured> {
  const { flags, layers, say } = job;
  const names = namesOf(pairs, job);
  const { file, ...fit } = await fitOf(job, names);
  const { seed, lambda } = fit;
  say('paper mode');
  const found = await withPaper(pairs, fit, async (draw) => {
    const score = await draw({ seed });
    const byEpisode = await draw({ seed, unit: 'episode' });
    say('its shuffled null');
    const shuffled = await meanOfDraws(seed, (other) => draw({ seed: other, shuffled: true }));
    return { score, byEpisode, shuffled };
  });
  const { score, byEpisode, shuffled } =
    'reason' in found ? { score: found, byEpisode: found, shuffled: null } : found;
  say('text alone, and other units');
  const answer: Json = {
    mode: 'paper',
    seed,
    alpha: lambda,
    ...paperAnswer(score, layers),
    ...('reason' in score ? {} : { splits: splitsAnswer(score, names) }),
    ...(shuffled === null ? {} : { shuffled_sync_r2: shuffled }),
    text_sync_r2: await textFigure(pairs, fit),
    ...(file ? {} : { units: await unitsAnswer(pairs, { fit, byEpisode }) }),
    ...(flags.lag === undefined ? { lags: await lagsAnswer(pairs, { fit, say }) } : {}),
  };
  return { mode: 'paper', answer, score, shuffled };
}

/** The test episodes of each split by their labels, as `--splits` reads them. */
export function splitsAnswer({ splits }: PaperScore, names: ReadonlyMap<string, number>): Json {
  const labels = new Map([...names].map(([name, id]) => [id, name]));
  return { test_episodes: splits.map((ids) => ids.map((id) => labels.get(id) ?? String(id))) };
}

const figures = (score: PaperScore | NoScore): Json =>
  'reason' in score
    ? { sync_r2: null, reason: score.reason }
    : { sync_r2: score.syncR2, sync_r2_unclipped: score.unclipped };

/** SyncR² with the text features of A's prompt in place of A's states; null where there are none. */
async function textFigure(pairs: TurnPairs, fit: Fit, unit?: PaperUnit): Promise<number | null> {
  if (pairs.history.cols === 0) return null;
  const score = await figureOf(textPairs(pairs), fit, unit);
  return 'reason' in score ? null : score.syncR2;
}

function figureOf(pairs: TurnPairs, fit: Fit, unit?: PaperUnit): Promise<PaperScore | NoScore> {
  const of = unit === undefined ? {} : { unit };
  return withPaper(pairs, { ...fit, ...of }, (draw) => draw({ seed: fit.seed, ...of }));
}

/**
 * The same figure for splits of other units: single episodes, which leave a scenario's other episodes in the training
 * part, and scenarios with all of their personas.
 */
async function unitsAnswer(
  pairs: TurnPairs,
  { fit, byEpisode }: { fit: Fit; byEpisode: PaperScore | NoScore },
): Promise<Json> {
  const count = (unit: PaperUnit): number => unitsOf(pairs, unit).size;
  const text = async (unit: PaperUnit): Promise<Json> => ({
    text_sync_r2: await textFigure(pairs, fit, unit),
  });
  const larger = await figureOf(pairs, fit, 'scenario');
  return {
    scenario_and_personas: { units: count('personas'), published: true },
    episode: { units: count('episode'), ...figures(byEpisode), ...(await text('episode')) },
    scenario: { units: count('scenario'), ...figures(larger), ...(await text('scenario')) },
  };
}

async function lagsAnswer(
  pairs: TurnPairs,
  { fit, say }: { fit: Fit; say: MeasureJob['say'] },
): Promise<Json[]> {
  const answers: Json[] = [];
  for (const lag of LATER) {
    say(`lag ${lag}`);
    const later = lagPairs(pairs, lag);
    const score = await figureOf(later, fit);
    const text = 'reason' in score ? null : await textFigure(later, fit);
    answers.push({ lag, n: later.n, ...figures(score), text_sync_r2: text });
  }
  return answers;
}

function penalty(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new EntrainError('USAGE', `--alpha is ${text}; expected a number above 0`);
}
