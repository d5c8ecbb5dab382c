/**
 * Recomputes published scores from the recording alone: the same rows, the same seed, so the same numbers, to rounding: on one machine and
 * with one version nothing in them is left to chance.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createOrtAlgebra } from '../numeric/ort/ort-algebra.ts';
import { readRecording } from '../journal/read-recording.ts';
import { systemClock } from '../process/clock.ts';
import { EntrainError } from '../protocol/errors.ts';
import type { LinearAlgebra } from '../numeric/linear-algebra.ts';
import {
  emptyRunRows,
  rowId,
  selectRows,
  takeFrameRows,
  type GroupRows,
  type RunRows,
} from '../analyzer/ingest/group-rows.ts';
import type { Progress } from '../process/progress.ts';
import { scoreBeside } from '../analyzer/scoring/secondary-analyses.ts';
import {
  learnGroup,
  type PrequentialGroup,
  type PrequentialJob,
} from '../analyzer/scoring/prequential-group.ts';
import { scoreGroup } from '../analyzer/scoring/score-group.ts';
import { replayFields } from './replay-fields.ts';
import { replayPair } from './replay-pair.ts';
import type { StepRecord } from '../analyzer/steps/step-record.ts';
import { indexSteps, replaySteps, type StepIndex } from './replay-steps.ts';
import { growPoint, pointOf, startPointGroup } from '../analyzer/scoring/point-group.ts';
import type {
  BesideScore,
  FrozenFit,
  GroupScore,
  PairScore,
  PointScore,
} from '../analyzer/scoring/messages.ts';

/** What is compared of a full score's line in scores.jsonl, and what names its group. */
type ScoreRecord = Pick<
  GroupScore,
  'type' | 'run' | 'seed' | 'samples' | 'paper' | 'strict' | 'prequential' | 'rows' | 'version' | 'leftOut'
> &
  Pick<GroupScore['group'], 'source' | 'target' | 'direction' | 'condition'> & { group: string };

/** A line of a turn's addition to a full score. */
type PointRecord = Pick<PointScore, 'type' | 'run' | 'group' | 'base' | 'score' | 'samples' | 'rows'>;

/** A line of `scores.jsonl`: of a full score, of a turn's addition to it, of what stands beside it, of both directions, or of a dyad's steps. */
type AnyRecord = ScoreRecord | PointRecord | BesideScore | PairScore | StepRecord;

export interface ReplayReport {
  scores: number;
  equalScores: number;
  /** One sentence per score that came out otherwise. */
  differences: string[];
  equal: boolean;
}

export interface ReplayOptions {
  lastOnly: boolean;
  /** Told what is being done. */
  say?: Progress['say'];
}

export async function replayRun(
  folder: string,
  { lastOnly, say = () => undefined }: ReplayOptions,
): Promise<ReplayReport> {
  say('reading the recording');
  const published = await readScores(folder);
  const scores = lastOnly ? lastOfEach(published) : published;
  const fits = new Map<string, FrozenFit>();
  const learners = new Map<string, PrequentialGroup>();
  const replayed = new Map<string, GroupScore>();
  const recorded = await readGroups(folder);
  // One thread, as the analyzer's, so that sums are made in the same order.
  const algebra = await createOrtAlgebra({ threads: 1 });
  try {
    const differences: string[] = [];
    for (const [index, score] of scores.entries()) {
      say(`score ${index + 1} of ${scores.length}`);
      const onFrozen = (fit: FrozenFit): unknown => fits.set(fit.group, fit);
      const difference = await replayOne(score, recorded, {
        folder,
        algebra,
        onFrozen,
        fits,
        replayed,
        learners: lastOnly ? undefined : learners,
      });
      if (difference !== undefined) differences.push(difference);
    }
    const equalScores = scores.length - differences.length;
    return { scores: scores.length, equalScores, differences, equal: differences.length === 0 };
  } finally {
    await algebra.close();
  }
}

export function replayText({ scores, equalScores, differences }: ReplayReport): string {
  const lines = [...differences, `${equalScores} of ${scores} scores equal what was published`];
  return `${lines.join('\n')}\n`;
}

async function readScores(folder: string): Promise<AnyRecord[]> {
  const file = join(folder, 'scores.jsonl');
  try {
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as AnyRecord);
  } catch (cause) {
    throw new EntrainError(
      'RUN_INVALID',
      `The published scores cannot be read (${file}): expected one JSON object a line, as the analyzer writes them.`,
      { cause },
    );
  }
}

/** The last full score of each group, the last of what stands beside it and of its pair, and the last of each dyad's steps. */
function lastOfEach(scores: AnyRecord[]): AnyRecord[] {
  const full = scores.filter((score) => score.type !== 'point');
  const last = new Map(full.map((score) => [nameOf(score), score]));
  // Of a pair whose groups were scored again later, without a number for both, the last line is of scores that are not computed again.
  const stands = ({ of }: PairScore): boolean =>
    Object.entries(of).every(([group, version]) => {
      const score = last.get(`score ${group}`);
      return score?.type === 'score' && score.version === version;
    });
  return [...last.values()].filter((score) => score.type !== 'pair' || stands(score));
}

function nameOf(score: AnyRecord): string {
  if (score.type === 'pair') return `pair ${score.pair}`;
  return score.type === 'steps' ? `steps ${score.group} ${score.episode}` : `${score.type} ${score.group}`;
}

interface Recorded extends RunRows {
  steps: StepIndex;
}

async function readGroups(folder: string): Promise<Recorded> {
  const rows = { ...emptyRunRows(), steps: new Map() };
  for await (const recorded of readRecording(folder)) {
    const { stream, epoch, message } = recorded;
    indexSteps(rows.steps, recorded);
    if (message.type !== 'episode' && message.type !== 'turn') continue;
    takeFrameRows(
      rows,
      {
        type: 'frame',
        run: '',
        origin: { stream, epoch, seq: message.seq },
        frame: message,
      },
      Infinity,
    );
  }
  return rows;
}

interface ReplayTools {
  folder: string;
  algebra: LinearAlgebra;
  onFrozen(fit: FrozenFit): void;
  /** The newest frozen fit of each group. */
  fits: ReadonlyMap<string, FrozenFit>;
  /** What each group's rows have taught so far; undefined where not every score is computed again. */
  learners: Map<string, PrequentialGroup> | undefined;
  /** The last full score of each group, as it came out again. */
  replayed: Map<string, GroupScore>;
}

function replayOne(
  score: AnyRecord,
  recorded: Recorded,
  tools: ReplayTools,
): Promise<string | undefined> | string | undefined {
  switch (score.type) {
    case 'point':
      return replayPoint(score, recorded, tools.fits.get(score.group));
    case 'pair':
      return replayPair(score, tools.replayed);
    case 'beside':
      return replayBeside(score, recorded, tools);
    case 'steps': {
      const group = recorded.groups.get(score.group)?.group;
      return replaySteps(score, { ...tools, index: recorded.steps, group });
    }
    case 'score':
      return replayScore(score, recorded, tools);
  }
}

async function replayBeside(
  score: BesideScore,
  { book, groups }: RunRows,
  { algebra }: ReplayTools,
): Promise<string | undefined> {
  const name = `beside ${score.group}, ${score.samples} samples`;
  const whole = groups.get(score.group);
  const group = whole && onlyRows(whole, score.rows);
  if (!group) return `${name}: the recording lacks rows that it was computed from`;
  const nowMs = (): number => systemClock.monotonicMs();
  const job = { run: score.run, group, selection: selectRows(group, book), algebra, nowMs };
  const difference = replayFields(['beside'], { again: await scoreBeside(job), published: score });
  return difference && `${name}: ${difference}`;
}

/** What differs, as a sentence; undefined when nothing does. */
async function replayScore(
  score: ScoreRecord,
  { book, groups }: RunRows,
  { algebra, onFrozen, learners, replayed }: ReplayTools,
): Promise<string | undefined> {
  const name = `${score.source.name} → ${score.target.name}, ${score.direction}, ${score.condition}, ${score.samples} samples`;
  const whole = groups.get(score.group);
  const rows = whole && onlyRows(whole, score.rows);
  if (!rows) return `${name}: the recording lacks rows that the score was computed from`;
  const group = { ...rows, version: score.version };
  const selection = selectRows(group, book);
  const nowMs = (): number => systemClock.monotonicMs();
  const again = await scoreGroup({ run: score.run, group, selection, algebra, onFrozen, nowMs });
  replayed.set(score.group, again);
  const difference = replayFields(['seed', 'samples', 'paper', 'strict'], { again, published: score });
  if (difference !== undefined) return `${name}: ${difference}`;
  const job = { group, selection: { ...selection, leftOut: score.leftOut }, book, algebra };
  return learners && replayPrequential(score, job, learners);
}

/** The same for what goes on from score to score. */
async function replayPrequential(
  { group, samples, prequential }: ScoreRecord,
  job: PrequentialJob,
  learners: Map<string, PrequentialGroup>,
): Promise<string | undefined> {
  if (!prequential) return undefined;
  const { state, answer } = await learnGroup(prequential.taken > 0 ? learners.get(group) : undefined, job);
  learners.set(group, state);
  const again = { score: answer?.score, tested: answer?.tested };
  const difference = replayFields(['tested', 'score'], { again, published: prequential });
  return difference && `prequential score of ${group}, ${samples} samples: ${difference}`;
}

/** The same for a point score, from the frozen fit of the full score before it. */
function replayPoint(
  point: PointRecord,
  { book, groups }: RunRows,
  fit: FrozenFit | undefined,
): string | undefined {
  const name = `point score of ${point.group}, ${point.samples} samples`;
  const whole = groups.get(point.group);
  if (!fit || fit.version !== point.base || !whole) return `${name}: the full score before it is not there`;
  const rows = { ...fit.rows };
  for (const [episode, added] of Object.entries(point.rows))
    rows[episode] = [...(rows[episode] ?? []), ...added];
  const group = onlyRows(whole, rows);
  if (!group) return `${name}: the recording lacks rows that it was computed from`;
  const again = startPointGroup(fit);
  growPoint(again, Object.keys(point.rows), { group, book });
  const { score, samples } = pointOf(again, group, 0) ?? {};
  const difference = replayFields(['samples', 'score'], { again: { score, samples }, published: point });
  return difference && `${name}: ${difference}`;
}

/** The group as it stood when the score was computed, or undefined when a row of it is not recorded. */
function onlyRows(group: GroupRows, rows: GroupScore['rows']): GroupRows | undefined {
  const episodes = new Map<string, GroupRows['episodes'] extends Map<string, infer R> ? R : never>();
  for (const [episode, turns] of Object.entries(rows)) {
    const wanted = new Set(turns);
    const found = (group.episodes.get(episode) ?? []).filter((row) => wanted.has(rowId(row)));
    if (found.length < turns.length) return undefined;
    episodes.set(episode, found);
  }
  return { ...group, episodes, size: Object.values(rows).flat().length };
}
