/**
 * Decides when a group is scored anew: soon after its rows have changed, seldom enough that scoring takes about a quarter
 * of one core, and at once when the stream has gone quiet. It owns the rows of its groups, makes all of their scores,
 * and runs in a score worker.
 */
import type { Clock } from '../../process/clock.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import { selectRows, takeRows, withoutRows, type GroupRows } from '../ingest/group-rows.ts';
import { breathingAlgebra, Stopped } from './breathing-algebra.ts';
import { emptyBeside, scoreBeside } from './secondary-analyses.ts';
import { emptyScore, scoreGroup, type ScoreJob } from './score-group.ts';
import type { RowsInput, RunRelease, ScoreAnswer } from './messages.ts';

export interface ScoreLoopOptions {
  clock: Clock;
  algebra: LinearAlgebra;
  publish(answer: ScoreAnswer): void;
  /** How many loops share what scoring may take of the machine. */
  loops: number;
  /** Called when what a score worked on is not needed any more. */
  onScored?(): void;
}

export interface ScoreLoop {
  take(input: RowsInput | RunRelease): void;
  /** Also ends what is being worked on: nothing is published any more. */
  stop(): void;
}

/** The newest rows of a group that were scored, and when. */
interface Scored {
  version: number;
  endedMs: number;
  /** The same of the secondary analyses; without a strict score there are none. */
  strict: boolean;
  besideVersion: number;
  besideEndedMs: number;
  /** What either took last; 0 before the first. */
  tookMs: number;
  besideTookMs: number;
}

interface LoopState {
  /** Run → group → its rows. */
  runs: Map<string, Map<string, GroupRows>>;
  /** By run and group. */
  scored: Map<string, Scored>;
  /** Run → when a frame of it came last, monotonic. */
  lastFrameMs: Map<string, number>;
  /** Monotonic: until then the machine belongs to others. */
  restUntilMs: number;
  stopped: boolean;
}

interface Due {
  run: string;
  group: GroupRows;
  /** The full score, or the secondary analyses. */
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
/** Secondary analyses are seldom made anew while frames come, and always give way to full scores. */
const BESIDE_CADENCE_MS = 60_000;
/** A stream without a frame for so long has probably ended: what is left is scored at once. */
const QUIET_MS = 1000;

const NEVER: Scored = {
  version: -1,
  endedMs: -CADENCE_MS,
  strict: false,
  besideVersion: -1,
  besideEndedMs: -BESIDE_CADENCE_MS,
  tookMs: 0,
  besideTookMs: 0,
};

export function createScoreLoop(options: ScoreLoopOptions): ScoreLoop {
  const { clock } = options;
  const state = emptyState();
  const algebra = breathingAlgebra(options.algebra, { clock, isStopped: () => state.stopped });
  let timer: NodeJS.Timeout | undefined;
  let busy = false;
  const arm = (): void => {
    clearTimeout(timer);
    const next = busy || state.stopped ? undefined : earliest(state);
    if (next) timer = setTimeout(() => void work(), Math.max(0, next.atMs - clock.monotonicMs()));
  };
  const work = async (): Promise<void> => {
    const next = earliest(state);
    if (busy || !next || next.atMs > clock.monotonicMs()) return arm();
    busy = true;
    await scoreDue(state, next, { ...options, algebra });
    busy = false;
    options.onScored?.();
    arm();
  };
  return {
    take: (input) => {
      if (input.type === 'release') return releaseRun(state, input.run);
      const groups = state.runs.get(input.run) ?? new Map<string, GroupRows>();
      state.runs.set(input.run, groups);
      state.lastFrameMs.set(input.run, clock.monotonicMs());
      takeRows(groups, input);
      arm();
    },
    stop: () => {
      state.stopped = true;
      clearTimeout(timer);
    },
  };
}

const emptyState = (): LoopState => ({
  runs: new Map(),
  scored: new Map(),
  lastFrameMs: new Map(),
  restUntilMs: 0,
  stopped: false,
});

function releaseRun({ runs }: LoopState, run: string): void {
  const groups = runs.get(run) ?? new Map<string, GroupRows>();
  for (const [key, group] of groups) groups.set(key, withoutRows(group));
}

const keyOf = ({ run, group }: Pick<Due, 'run' | 'group'>): string => `${run} ${group.group.key}`;

/** What is due first, of equals the one that waited longest; undefined when all that is recorded is scored. */
function earliest(state: LoopState): Due | undefined {
  let first: Due | undefined;
  for (const [run, groups] of state.runs) {
    for (const group of groups.values()) {
      const due = dueOf(state, { run, group });
      if (due && (!first || isSooner(due, first))) first = due;
    }
  }
  return first;
}

function isSooner(a: Due, b: Due): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.kind === b.kind ? a.sinceMs < b.sinceMs : a.kind === 'full';
}

function dueOf(state: LoopState, of: Pick<Due, 'run' | 'group'>): Due | undefined {
  const last = state.scored.get(keyOf(of)) ?? NEVER;
  // A run whose talk is over is scored at once, whatever the others do.
  const quietMs = (state.lastFrameMs.get(of.run) ?? 0) + QUIET_MS;
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

async function scoreDue(state: LoopState, due: Due, tools: ScoreLoopOptions): Promise<void> {
  const { clock, algebra, loops } = tools;
  const { run, group } = due;
  const { version } = group;
  const nowMs = (): number => clock.monotonicMs();
  const startedMs = nowMs();
  const job = { run, group: { ...group }, selection: selectRows(group), algebra, nowMs };
  const publish = (answer: ScoreAnswer): void => (state.stopped ? undefined : tools.publish(answer));
  const key = keyOf(due);
  const last = state.scored.get(key) ?? NEVER;
  if (due.kind === 'full') {
    const strict = await publishFull(job, publish);
    const endedMs = nowMs();
    state.scored.set(key, { ...last, version, endedMs, strict, tookMs: endedMs - startedMs });
  } else {
    await publishBeside(job, publish);
    const besideEndedMs = nowMs();
    const besideTookMs = besideEndedMs - startedMs;
    state.scored.set(key, { ...last, besideVersion: version, besideEndedMs, besideTookMs });
  }
  const endedMs = nowMs();
  state.restUntilMs = endedMs + (loops / CORE_SHARE - 1) * (endedMs - startedMs);
}

type Publish = ScoreLoopOptions['publish'];

/** @returns whether there is a strict score */
async function publishFull(job: ScoreJob, publish: Publish): Promise<boolean> {
  try {
    const score = await scoreGroup(job);
    publish(score);
    return score.strict !== null;
  } catch (error) {
    if (error instanceof Stopped) return false;
    const score = emptyScore(job, 'A fault: the log of the analyzer says more.');
    publish({ type: 'fault', score, stack: stackOf(error) });
    return false;
  }
}

async function publishBeside(job: ScoreJob, publish: Publish): Promise<void> {
  try {
    publish(await scoreBeside(job));
  } catch (error) {
    if (error instanceof Stopped) return;
    publish({ ...emptyBeside(job), stack: stackOf(error) });
  }
}

const stackOf = (error: unknown): string => String((error as Error).stack ?? error);
