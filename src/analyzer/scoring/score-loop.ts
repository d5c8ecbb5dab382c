/**
 * Decides when a group is scored again: soon after its rows have changed, rarely enough that scoring takes about a
 * quarter of one core, and at once when the stream is quiet. It owns the rows of its groups, computes all of their
 * scores, and runs in a score worker.
 */
import type { Clock } from '../../process/clock.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import { selectRows, takeRows, withoutRows, type GroupRows } from '../ingest/group-rows.ts';
import { interruptibleAlgebra, Stopped } from './interruptible-algebra.ts';
import { emptyBeside, scoreBeside } from './secondary-analyses.ts';
import { emptyScore, scoreGroup, type ScoreJob } from './score-group.ts';
import type { RowsInput, RunForgotten, RunRelease, ScoreAnswer } from './messages.ts';

export interface ScoreLoopOptions {
  clock: Clock;
  algebra: LinearAlgebra;
  publish(answer: ScoreAnswer): void;
  /** Number of loops that share the processor time for scoring. */
  loops: number;
  /** Called when the memory of a score is no longer needed. */
  onScored?(): void;
}

export interface ScoreLoop {
  take(input: RowsInput | RunRelease | RunForgotten): void;
  /** Stops, also in the middle of a score; nothing is published any more. */
  stop(): void;
}

/** What was last scored of a group, and when. */
interface Scored {
  version: number;
  endedMs: number;
  /** The same for secondary analyses, which need a strict score. */
  strict: boolean;
  besideVersion: number;
  besideEndedMs: number;
  /** How long the last score and the last secondary analyses took; 0 before the first. */
  tookMs: number;
  besideTookMs: number;
}

interface LoopState {
  /** Run → group → its rows. */
  runs: Map<string, Map<string, GroupRows>>;
  /** Key: run and group. */
  scored: Map<string, Scored>;
  /** Run → monotonic time of its last frame. */
  lastFrameMs: Map<string, number>;
  /** Monotonic time until which this loop leaves the processor to others. */
  restUntilMs: number;
  /** What is being computed, if it may be given up. */
  current: Current | undefined;
  stopped: boolean;
}

/** Work that was begun while frames came. */
interface Current extends Pick<Due, 'run'> {
  key: string;
  version: number;
}

interface Due {
  run: string;
  group: GroupRows;
  /** The full score, or the secondary analyses. */
  kind: 'full' | 'beside';
  atMs: number;
  sinceMs: number;
}

/** Least time between two scores of a group. */
const CADENCE_MS = 2000;
/** While frames come, all loops together use at most this share of one core. */
const CORE_SHARE = 0.25;
/** Full scores of a growing group are never older than this, whatever share of a core that takes. */
const OLDEST_MS = 50_000;
/** While frames come, secondary analyses are computed rarely, and always after full scores. */
const BESIDE_CADENCE_MS = 60_000;
/** A stream without a frame for this time has probably ended, and its groups are scored at once. */
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
  const isStopped = (): boolean => state.stopped || isOutdated(state, clock.monotonicMs());
  const algebra = interruptibleAlgebra(options.algebra, { clock, isStopped });
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
      if (input.type === 'forget') return forgetRun(state, input.run);
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
  current: undefined,
  stopped: false,
});

/**
 * Whether the figures under way are of fewer rows than there are, while the stream has become quiet: those of all rows
 * are then due, and nobody waits for the others. What was begun on a quiet stream is never given up, so a slow stream
 * cannot put scores off for ever.
 */
function isOutdated({ current, runs, lastFrameMs }: LoopState, nowMs: number): boolean {
  if (!current) return false;
  const group = runs.get(current.run)?.get(current.key);
  const quietMs = nowMs - (lastFrameMs.get(current.run) ?? nowMs);
  return group !== undefined && group.version !== current.version && quietMs >= QUIET_MS;
}

function releaseRun({ runs }: LoopState, run: string): void {
  const groups = runs.get(run) ?? new Map<string, GroupRows>();
  for (const [key, group] of groups) groups.set(key, withoutRows(group));
}

function forgetRun({ runs, scored, lastFrameMs }: LoopState, run: string): void {
  for (const group of runs.get(run)?.values() ?? []) scored.delete(keyOf({ run, group }));
  runs.delete(run);
  lastFrameMs.delete(run);
}

const keyOf = ({ run, group }: Pick<Due, 'run' | 'group'>): string => `${run} ${group.group.key}`;

/** The most urgent work; of equals, the one that waited longest. Undefined if everything is scored. */
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
  // A run that is quiet is scored at once, whatever other runs do.
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

/** The longest time from when a group is due until its score is published, if all others come first. */
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
  const isQuiet = startedMs - (state.lastFrameMs.get(run) ?? 0) >= QUIET_MS;
  state.current = isQuiet ? undefined : { run, key: group.group.key, version };
  const found = await (due.kind === 'full' ? publishFull(job, publish) : publishBeside(job, publish));
  state.current = undefined;
  const endedMs = nowMs();
  const tookMs = endedMs - startedMs;
  if (found && due.kind === 'full') state.scored.set(key, { ...last, version, endedMs, tookMs, ...found });
  else if (found)
    state.scored.set(key, { ...last, besideVersion: version, besideEndedMs: endedMs, besideTookMs: tookMs });
  state.restUntilMs = endedMs + (loops / CORE_SHARE - 1) * tookMs;
}

type Publish = ScoreLoopOptions['publish'];

/** @returns whether there is a strict score; undefined if the work was given up */
async function publishFull(job: ScoreJob, publish: Publish): Promise<{ strict: boolean } | undefined> {
  try {
    const score = await scoreGroup(job);
    publish(score);
    return { strict: score.strict !== null };
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    const score = emptyScore(job, 'A fault: the log of the analyzer says more.');
    publish({ type: 'fault', score, stack: stackOf(error) });
    return { strict: false };
  }
}

/** @returns undefined if the work was given up */
async function publishBeside(job: ScoreJob, publish: Publish): Promise<object | undefined> {
  try {
    publish(await scoreBeside(job));
    return {};
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    publish({ ...emptyBeside(job), stack: stackOf(error) });
    return {};
  }
}

const stackOf = (error: unknown): string => String((error as Error).stack ?? error);
