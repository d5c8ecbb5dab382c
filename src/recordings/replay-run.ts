/**
 * Recomputes published scores from the recording alone: the same rows, the same seed, so the same numbers, to rounding: on one machine and
 * with one version nothing in them is left to chance.
 */
import { createOrtAlgebra } from '../numeric/ort/ort-algebra.ts';
import { readRecording } from '../journal/read-recording.ts';
import { systemClock } from '../process/clock.ts';
import type { LinearAlgebra } from '../numeric/linear-algebra.ts';
import {
  rowId,
  selectRows,
  type GroupRows,
  type OwnedRow,
  type RowIds,
} from '../analyzer/ingest/group-rows.ts';
import { emptyRunRows, takeFrameRows, type RunRows } from '../analyzer/ingest/run-rows.ts';
import type { Progress } from '../process/progress.ts';
import { scoreBeside } from '../analyzer/scoring/secondary-analyses.ts';
import { scoreGroup } from '../analyzer/scoring/score-group.ts';
import { replayFields } from './replay-fields.ts';
import { readScores, withRows } from './read-scores.ts';
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
  'type' | 'run' | 'seed' | 'samples' | 'paper' | 'strict' | 'rows' | 'version' | 'leftOut'
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
  /** The last line of the file was torn by a kill or a full disk, and is left out. */
  torn: boolean;
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
  const { lines, torn } = await readScores(folder);
  const wanted = lastOnly ? lastOfEach(lines as AnyRecord[]) : new Set(lines.keys());
  const fits = new Map<string, FrozenFit>();
  const replayed = new Map<string, GroupScore>();
  const recorded = await readGroups(folder);
  // One thread, as the analyzer's, so that sums are made in the same order.
  const algebra = await createOrtAlgebra({ threads: 1 });
  try {
    const differences: string[] = [];
    let done = 0;
    for (const line of withRows(lines, (at) => wanted.has(at))) {
      const score = line as AnyRecord;
      say(`score ${(done += 1)} of ${wanted.size}`);
      const onFrozen = (fit: FrozenFit): unknown => fits.set(fit.group, fit);
      const difference = await replayOne(score, recorded, {
        folder,
        algebra,
        onFrozen,
        fits,
        replayed,
      });
      if (difference !== undefined) differences.push(difference);
    }
    const equalScores = wanted.size - differences.length;
    const equal = differences.length === 0;
    return { scores: wanted.size, equalScores, differences, equal, torn };
  } finally {
    await algebra.close();
  }
}

export function replayText({ scores, equalScores, differences, torn }: ReplayReport): string {
  const cut = torn ? ['the last line of scores.jsonl is torn: the score in it was never whole'] : [];
  const lines = [...differences, ...cut, `${equalScores} of ${scores} scores equal what was published`];
  return `${lines.join('\n')}\n`;
}

/** Where the last full score of each group stands, the last secondary analyses, the last of its pair, and the last of each dyad's steps. */
function lastOfEach(scores: readonly AnyRecord[]): Set<number> {
  const last = new Map<string, number>();
  for (const [at, score] of scores.entries()) if (score.type !== 'point') last.set(nameOf(score), at);
  // Of a pair whose groups were scored again later, without a number for both, the last line is of scores that are not computed again.
  const stands = ({ of }: PairScore): boolean =>
    Object.entries(of).every(([group, version]) => {
      const score = scores[last.get(`score ${group}`) ?? -1];
      return score?.type === 'score' && score.version === version;
    });
  return new Set(
    [...last.values()].filter((at) => {
      const score = scores[at];
      return score && (score.type !== 'pair' || stands(score));
    }),
  );
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
    takeFrameRows(rows, { origin: { stream, epoch, seq: message.seq }, frame: message }, Infinity);
  }
  return rows;
}

interface ReplayTools {
  folder: string;
  algebra: LinearAlgebra;
  onFrozen(fit: FrozenFit): void;
  /** The newest frozen fit of each group. */
  fits: ReadonlyMap<string, FrozenFit>;
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
  { groups }: RunRows,
  { algebra }: ReplayTools,
): Promise<string | undefined> {
  const name = `beside ${score.group}, ${score.samples} samples`;
  const whole = groups.get(score.group);
  const group = whole && onlyRows(whole, score.rows);
  if (!group) return `${name}: the recording lacks rows that it was computed from`;
  const nowMs = (): number => systemClock.monotonicMs();
  const job = { run: score.run, group, selection: selectRows(group), algebra, nowMs };
  const difference = replayFields(['beside'], { again: await scoreBeside(job), published: score });
  return difference && `${name}: ${difference}`;
}

/** What differs, as a sentence; undefined when nothing does. */
async function replayScore(
  score: ScoreRecord,
  { groups }: RunRows,
  { algebra, onFrozen, replayed }: ReplayTools,
): Promise<string | undefined> {
  const name = `${score.source.name} → ${score.target.name}, ${score.direction}, ${score.condition}, ${score.samples} samples`;
  const whole = groups.get(score.group);
  const rows = whole && onlyRows(whole, score.rows);
  if (!rows) return `${name}: the recording lacks rows that the score was computed from`;
  const group = { ...rows, version: score.version };
  const selection = selectRows(group);
  const nowMs = (): number => systemClock.monotonicMs();
  const again = await scoreGroup({ run: score.run, group, selection, algebra, onFrozen, nowMs });
  replayed.set(score.group, again);
  const difference = replayFields(['seed', 'samples', 'paper', 'strict'], { again, published: score });
  return difference && `${name}: ${difference}`;
}

/** The same for a point score, from the frozen fit of the full score before it. */
function replayPoint(
  point: PointRecord,
  { groups }: RunRows,
  fit: FrozenFit | undefined,
): string | undefined {
  const name = `point score of ${point.group}, ${point.samples} samples`;
  const whole = groups.get(point.group);
  if (!fit || fit.version !== point.base || !whole || !hasRows(point))
    return `${name}: the full score before it is not there`;
  const rows = { ...fit.rows };
  for (const [episode, added] of Object.entries(point.rows))
    rows[episode] = [...(rows[episode] ?? []), ...added];
  const group = onlyRows(whole, rows);
  if (!group) return `${name}: the recording lacks rows that it was computed from`;
  const again = startPointGroup(fit);
  growPoint(again, Object.keys(point.rows), { group });
  const { score, samples } = pointOf(again, group, 0) ?? {};
  const difference = replayFields(['samples', 'score'], { again: { score, samples }, published: point });
  return difference && `${name}: ${difference}`;
}

/** Without them a line that this one adds to is not in the file. */
const hasRows = ({ rows }: { rows?: RowIds }): boolean => rows !== undefined;

/** The group as it stood when the score was computed, or undefined when a row of it is not recorded. */
function onlyRows(group: GroupRows, rows: RowIds | undefined): GroupRows | undefined {
  if (!rows) return undefined;
  const episodes = new Map<string, OwnedRow[]>();
  for (const [episode, turns] of Object.entries(rows)) {
    const wanted = new Set(turns);
    const found = (group.episodes.get(episode) ?? []).filter((row) => wanted.has(rowId(row)));
    if (found.length < turns.length) return undefined;
    episodes.set(episode, found);
  }
  return { ...group, episodes, size: Object.values(rows).flat().length };
}
