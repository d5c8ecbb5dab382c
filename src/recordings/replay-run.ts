/**
 * Recomputes published scores from the recording alone. The same rows and the same seed give the same figures
 * to rounding.
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
import { STRICT_METHOD } from '../synchrony/strict/strict-score.ts';
import { differenceName, replayDifference, replayPair } from './replay-pair.ts';
import {
  emptyBranchIndex,
  historiesOf,
  indexBranches,
  replayBranches,
  withBranchRows,
  type BranchRecord,
  type RecordedHistories,
} from './replay-branches.ts';
import { BRANCH_METHOD } from '../synchrony/branches/matched.ts';
import type { StepRecord } from '../analyzer/steps/step-record.ts';
import { indexSteps, replaySteps, type StepIndex } from './replay-steps.ts';
import type {
  BesideScore,
  DifferenceScore,
  GroupScore,
  Method,
  PairScore,
} from '../analyzer/scoring/messages.ts';

/** The compared fields of a full score's line, and those that name its group. */
type ScoreRecord = Pick<
  GroupScore,
  'type' | 'run' | 'seed' | 'samples' | 'paper' | 'strict' | 'rows' | 'version' | 'leftOut'
> &
  Pick<GroupScore['group'], 'source' | 'target' | 'direction' | 'condition'> & { group: string };

/** A line of an earlier version that made point scores. */
interface OlderRecord {
  type: 'point';
  group: string;
}

/** A line of `scores.jsonl`. Lines before strict method 2 name no method. */
type AnyRecord = (
  BranchRecord | ScoreRecord | BesideScore | PairScore | DifferenceScore | StepRecord | OlderRecord
) & {
  method?: Method;
};

export interface ReplayReport {
  scores: number;
  equalScores: number;
  /** One sentence for each score that came out different. */
  differences: string[];
  equal: boolean;
  /**
   * One sentence for each method whose strict figures this version cannot make; the other figures of such lines
   * were compared.
   */
  otherMethods: string[];
  /** Whether the last line of the file was torn by a kill or a full disk, and left out. */
  torn: boolean;
}

export interface ReplayOptions {
  lastOnly: boolean;
  /** Called with what is being done. */
  say?: Progress['say'];
}

export async function replayRun(
  folder: string,
  { lastOnly, say = () => undefined }: ReplayOptions,
): Promise<ReplayReport> {
  say('reading the recording');
  const { lines, torn } = await readScores(folder);
  const wanted = lastOnly ? lastOfEach(lines as AnyRecord[]) : new Set(lines.keys());
  const replayed = new Map<string, GroupScore>();
  const recorded = await readGroups(folder);
  // One thread, as in the analyzer, so that sums are added in the same order.
  const algebra = await createOrtAlgebra({ threads: 1 });
  try {
    const differences: string[] = [];
    let done = 0;
    for (const line of withRows(withBranchRows(lines), (at) => wanted.has(at))) {
      const score = line as AnyRecord;
      say(`score ${(done += 1)} of ${wanted.size}`);
      const difference = await replayOne(score, recorded, { folder, algebra, replayed });
      if (difference !== undefined) differences.push(difference);
    }
    const equalScores = wanted.size - differences.length;
    const equal = differences.length === 0;
    const otherMethods = otherMethodsOf(
      [...wanted].flatMap((at) => (lines[at] as AnyRecord | undefined) ?? []),
    );
    return { scores: wanted.size, equalScores, differences, equal, otherMethods, torn };
  } finally {
    await algebra.close();
  }
}

export function replayText(report: ReplayReport): string {
  const { scores, equalScores, differences, otherMethods, torn } = report;
  const cut = torn ? ['the last line of scores.jsonl is torn: the score in it was never whole'] : [];
  const equal = `${equalScores} of ${scores} scores equal what was published`;
  const lines = [...differences, ...cut, equal, ...otherMethods];
  return `${lines.join('\n')}\n`;
}

const isStrict = (score: AnyRecord): boolean =>
  score.type !== 'steps' && score.type !== 'influence' && (score.type !== 'score' || score.strict !== null);

/** Whether this version can recompute the strict figures of a line. */
const isOwnMethod = ({ method }: AnyRecord): boolean =>
  method?.name === STRICT_METHOD.name && method.version === STRICT_METHOD.version;

const isOwnBranches = ({ method }: BranchRecord): boolean =>
  method?.name === BRANCH_METHOD.name && method.version === BRANCH_METHOD.version;

function otherMethodsOf(scores: AnyRecord[]): string[] {
  const { name: own, version } = STRICT_METHOD;
  const others = scores.filter((score) =>
    score.type === 'influence' ? !isOwnBranches(score) : isStrict(score) && !isOwnMethod(score),
  );
  const names = others.map(({ method }) => (method ? `${method.name} ${method.version}` : `${own} 1`));
  return [...new Set(names)].map((name) => {
    const lines = names.filter((other) => other === name).length;
    return `${lines} of them hold figures of method ${name}, which this version does not make (it has ${own} ${version}): only what else they hold was compared`;
  });
}

/**
 * Indices of the last full score of each group, the last secondary analyses, the last line of its pair, and the
 * last steps of each dyad.
 */
function lastOfEach(scores: readonly AnyRecord[]): Set<number> {
  const last = new Map<string, number>();
  for (const [at, score] of scores.entries()) if (score.type !== 'point') last.set(nameOf(score), at);
  // The groups of a pair may have been scored again later without a figure for both; its last line is then of
  // scores that are not recomputed.
  const stands = ({ of }: PairScore | DifferenceScore): boolean =>
    Object.entries(of).every(([group, version]) => {
      const score = scores[last.get(`score ${group}`) ?? -1];
      return score?.type === 'score' && score.version === version;
    });
  return new Set(
    [...last.values()].filter((at) => {
      const score = scores[at];
      return score && ((score.type !== 'pair' && score.type !== 'difference') || stands(score));
    }),
  );
}

function nameOf(score: AnyRecord): string {
  if (score.type === 'pair') return `pair ${score.pair}`;
  if (score.type === 'difference') return differenceName(score);
  return score.type === 'steps' ? `steps ${score.group} ${score.episode}` : `${score.type} ${score.group}`;
}

interface Recorded extends RunRows {
  steps: StepIndex;
  branches: RecordedHistories;
}

async function readGroups(folder: string): Promise<Recorded> {
  const rows = { ...emptyRunRows(), steps: new Map() };
  const branches = emptyBranchIndex();
  for await (const recorded of readRecording(folder)) {
    const { stream, epoch, message } = recorded;
    indexSteps(rows.steps, recorded);
    indexBranches(branches, recorded);
    if (message.type !== 'episode' && message.type !== 'turn') continue;
    takeFrameRows(rows, { origin: { stream, epoch, seq: message.seq }, frame: message }, Infinity);
  }
  return { ...rows, branches: historiesOf(branches) };
}

interface ReplayTools {
  folder: string;
  algebra: LinearAlgebra;
  /** The recomputed last full score of each group. */
  replayed: Map<string, GroupScore>;
}

function replayOne(
  score: AnyRecord,
  recorded: Recorded,
  tools: ReplayTools,
): Promise<string | undefined> | string | undefined {
  const own = isOwnMethod(score);
  switch (score.type) {
    case 'point':
      return undefined;
    case 'pair':
      return replayPair(score, tools.replayed, own);
    case 'difference':
      return own ? replayDifference(score, tools.replayed) : undefined;
    case 'influence':
      return isOwnBranches(score) ? replayBranches(score, recorded.branches, tools.algebra) : undefined;
    case 'beside':
      return own ? replayBeside(score, recorded, tools) : undefined;
    case 'steps': {
      const group = recorded.groups.get(score.group)?.group;
      return replaySteps(score, { ...tools, index: recorded.steps, group });
    }
    case 'score':
      return replayScore(score, recorded, { ...tools, own });
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
  // Lines of earlier versions have no map.
  const fields = ['beside', ...('layerMap' in score ? (['layerMap'] as const) : [])] as const;
  const difference = replayFields(fields, { again: await scoreBeside(job), published: score });
  return difference && `${name}: ${difference}`;
}

/** What differs, as a sentence; undefined if nothing does. */
async function replayScore(
  score: ScoreRecord,
  { groups }: RunRows,
  { algebra, replayed, own }: ReplayTools & { own: boolean },
): Promise<string | undefined> {
  const name = `${score.source.name} → ${score.target.name}, ${score.direction}, ${score.condition}, ${score.samples} samples`;
  const whole = groups.get(score.group);
  const rows = whole && onlyRows(whole, score.rows);
  if (!rows) return `${name}: the recording lacks rows that the score was computed from`;
  const group = { ...rows, version: score.version };
  const selection = selectRows(group);
  const nowMs = (): number => systemClock.monotonicMs();
  const again = await scoreGroup({ run: score.run, group, selection, algebra, nowMs });
  replayed.set(score.group, again);
  const fields = ['seed', 'samples', 'paper', ...(own ? (['strict'] as const) : [])] as const;
  const difference = replayFields(fields, { again, published: score });
  return difference && `${name}: ${difference}`;
}

/** The group as it was when the score was computed; undefined if one of its rows is not recorded. */
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
