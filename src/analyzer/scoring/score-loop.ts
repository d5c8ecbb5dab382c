/**
 * Decides when a group is scored anew: soon after its rows have changed, seldom enough that scoring takes about a quarter
 * of one core, and at once when the stream has gone quiet. It runs in a score worker.
 */
import type { Clock } from '../../process/clock.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import {
  emptyRunRows,
  selectRows,
  takeFrameRows,
  withoutRows,
  type GroupRows,
  type RunRows,
} from '../ingest/group-rows.ts';
import { emptyBeside, scoreBeside } from './secondary-analyses.ts';
import { learnGroup, type PrequentialGroup } from './prequential-group.ts';
import { emptyScore, scoreGroup, type ScoreJob } from './score-group.ts';
import type { FrozenFit, RunRelease, ScoreAnswer, ScoreInput } from './messages.ts';

export interface ScoreLoopOptions {
  clock: Clock;
  algebra: LinearAlgebra;
  publish(answer: ScoreAnswer): void;
  onFrozen(fit: FrozenFit): void;
  /** This loop scores every `of`-th group, counted as they first appear; others score the rest. */
  share: { index: number; of: number };
}

export interface ScoreLoop {
  take(input: ScoreInput | RunRelease): void;
  stop(): void;
}

/** The newest rows of a group that were scored, and when. */
interface Scored {
  version: number;
  endedMs: number;
  /** The same of what stands beside the score; without a strict score nothing does. */
  strict: boolean;
  /** What goes on from score to score. */
  prequential: PrequentialGroup | undefined;
  besideVersion: number;
  besideEndedMs: number;
  /** What either took last; 0 before the first. */
  tookMs: number;
  besideTookMs: number;
}

interface LoopState {
  runs: Map<string, RunRows>;
  /** By run and group. */
  scored: Map<string, Scored>;
  /** Monotonic: when a frame came last. */
  lastFrameMs: number;
  /** Monotonic: until then the machine belongs to others. */
  restUntilMs: number;
}

interface Due {
  run: string;
  rows: RunRows;
  group: GroupRows;
  /** The full score, or what stands beside it. */
  kind: 'full' | 'beside';
  atMs: number;
  sinceMs: number;
}

/** A group is not scored more often than this. */
const CADENCE_MS = 2000;
/** While frames come, all loops together take no more than this share of one core. */
const CORE_SHARE = 0.25;
/** Null, interval and p-value of a group that grows are made anew in time to get no older than this, whatever share of a core it takes. */
const OLDEST_MS = 50_000;
/** What stands beside a score is seldom made anew while frames come, and always gives way to full scores. */
const BESIDE_CADENCE_MS = 60_000;
/** A stream without a frame for so long has probably ended: what is left is scored at once. */
const QUIET_MS = 1000;

const NEVER: Scored = {
  version: -1,
  endedMs: -CADENCE_MS,
  strict: false,
  prequential: undefined,
  besideVersion: -1,
  besideEndedMs: -BESIDE_CADENCE_MS,
  tookMs: 0,
  besideTookMs: 0,
};

export function createScoreLoop(options: ScoreLoopOptions): ScoreLoop {
  const { clock } = options;
  const state: LoopState = { runs: new Map(), scored: new Map(), lastFrameMs: 0, restUntilMs: 0 };
  let timer: NodeJS.Timeout | undefined;
  let busy = false;
  const arm = (): void => {
    const next = busy ? undefined : earliest(state, options.share);
    clearTimeout(timer);
    if (next) timer = setTimeout(() => void work(), Math.max(0, next.atMs - clock.monotonicMs()));
  };
  const work = async (): Promise<void> => {
    const next = earliest(state, options.share);
    if (busy || !next || next.atMs > clock.monotonicMs()) return arm();
    busy = true;
    await scoreDue(state, next, options);
    busy = false;
    arm();
  };
  return {
    take: (input) => {
      const rows = state.runs.get(input.run) ?? emptyRunRows();
      state.runs.set(input.run, input.type === 'release' ? withoutRows(rows) : rows);
      if (input.type === 'release') return;
      state.lastFrameMs = clock.monotonicMs();
      takeFrameRows(rows, input);
      arm();
    },
    stop: () => {
      busy = true;
      clearTimeout(timer);
    },
  };
}

const keyOf = ({ run, group }: Pick<Due, 'run' | 'group'>): string => `${run} ${group.group.key}`;

/** What is due first, of equals the one that waited longest; undefined when all that is recorded is scored. */
function earliest(state: LoopState, share: ScoreLoopOptions['share']): Due | undefined {
  let first: Due | undefined;
  for (const [run, rows] of state.runs) {
    for (const [place, group] of [...rows.groups.values()].entries()) {
      if (place % share.of !== share.index) continue;
      const due = dueOf(state, { run, rows, group });
      if (due && (!first || isSooner(due, first))) first = due;
    }
  }
  return first;
}

function isSooner(a: Due, b: Due): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.kind === b.kind ? a.sinceMs < b.sinceMs : a.kind === 'full';
}

function dueOf(state: LoopState, of: Pick<Due, 'run' | 'rows' | 'group'>): Due | undefined {
  const last = state.scored.get(keyOf(of)) ?? NEVER;
  const quietMs = state.lastFrameMs + QUIET_MS;
  if (last.version !== of.group.version) {
    const sinceMs = last.endedMs;
    const restedMs = Math.max(sinceMs + CADENCE_MS, state.restUntilMs);
    const latestMs = sinceMs + Math.max(CADENCE_MS, OLDEST_MS - worstWaitMs(state));
    return { ...of, kind: 'full', sinceMs, atMs: Math.min(restedMs, latestMs, quietMs) };
  }
  if (!last.strict || last.besideVersion === of.group.version) return undefined;
  const sinceMs = last.besideEndedMs;
  const restedMs = Math.max(sinceMs + BESIDE_CADENCE_MS, state.restUntilMs);
  return { ...of, kind: 'beside', sinceMs, atMs: Math.min(restedMs, quietMs) };
}

/** From the moment that a group is due until its score stands, if all others are due before it. */
function worstWaitMs({ scored }: LoopState): number {
  const all = [...scored.values()];
  const full = all.reduce((sum, { tookMs }) => sum + tookMs, 0);
  return full + Math.max(0, ...all.map(({ besideTookMs }) => besideTookMs));
}

async function scoreDue(state: LoopState, due: Due, options: ScoreLoopOptions): Promise<void> {
  const { clock, algebra, onFrozen } = options;
  const { run, rows, group } = due;
  const { version } = group;
  const startedMs = clock.monotonicMs();
  const selection = selectRows(group, rows.book);
  const nowMs = (): number => clock.monotonicMs();
  const job = { run, group: { ...group }, selection, algebra, onFrozen, nowMs };
  const key = keyOf(due);
  const last = state.scored.get(key) ?? NEVER;
  if (due.kind === 'full') {
    const found = await publishFull(job, { ...options, book: rows.book, prequential: last.prequential });
    const endedMs = nowMs();
    state.scored.set(key, { ...last, version, endedMs, ...found, tookMs: endedMs - startedMs });
  } else {
    await publishBeside(job, options);
    const besideEndedMs = nowMs();
    const besideTookMs = besideEndedMs - startedMs;
    state.scored.set(key, { ...last, besideVersion: version, besideEndedMs, besideTookMs });
  }
  const endedMs = nowMs();
  state.restUntilMs = endedMs + (options.share.of / CORE_SHARE - 1) * (endedMs - startedMs);
}

type FullOptions = ScoreLoopOptions & Pick<RunRows, 'book'> & Pick<Scored, 'prequential'>;

async function publishFull(
  job: ScoreJob,
  { publish, book, prequential }: FullOptions,
): Promise<Pick<Scored, 'strict' | 'prequential'>> {
  try {
    const score = await scoreGroup(job);
    const learnt = score.strict ? await learnGroup(prequential, { ...job, book }) : undefined;
    publish({ ...score, prequential: learnt?.answer ?? null });
    return { strict: score.strict !== null, prequential: learnt?.state ?? prequential };
  } catch (error) {
    const score = emptyScore(job, 'A fault: the log of the analyzer says more.');
    publish({ type: 'fault', score, stack: stackOf(error) });
    return { strict: false, prequential: undefined };
  }
}

async function publishBeside(job: ScoreJob, { publish }: ScoreLoopOptions): Promise<void> {
  try {
    publish(await scoreBeside(job));
  } catch (error) {
    publish({ ...emptyBeside(job), stack: stackOf(error) });
  }
}

const stackOf = (error: unknown): string => String((error as Error).stack ?? error);
