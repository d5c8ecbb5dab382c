/**
 * Decides when a group is scored anew: soon after its rows have changed, seldom enough that scoring takes about a quarter
 * of one core, and at once when the stream has gone quiet. It runs in a score worker.
 */
import type { Clock } from '../process/clock.ts';
import type { LinearAlgebra } from '../synchrony/types.ts';
import { emptyRunRows, selectRows, takeFrameRows, type GroupRows, type RunRows } from './group-rows.ts';
import { emptyScore, scoreGroup } from './score-group.ts';
import type { FrozenFit, ScoreAnswer, ScoreInput } from './score-messages.ts';

export interface ScoreLoopOptions {
  clock: Clock;
  algebra: LinearAlgebra;
  publish(answer: ScoreAnswer): void;
  onFrozen(fit: FrozenFit): void;
  /** This loop scores every `of`-th group, counted as they first appear; others score the rest. */
  share: { index: number; of: number };
}

export interface ScoreLoop {
  take(input: ScoreInput): void;
  stop(): void;
}

/** The newest rows of a group that were scored, and when. */
interface Scored {
  version: number;
  endedMs: number;
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
  atMs: number;
}

/** A group is not scored more often than this. */
const CADENCE_MS = 2000;
/** While frames come, all loops together take no more than this share of one core. */
const CORE_SHARE = 0.25;
/** Null, interval and p-value of a group that grows get no older than this and one computation, whatever it takes. */
const OLDEST_MS = 40_000;
/** A stream without a frame for so long has probably ended: what is left is scored at once. */
const QUIET_MS = 1000;

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
      state.lastFrameMs = clock.monotonicMs();
      const rows = state.runs.get(input.run) ?? emptyRunRows();
      state.runs.set(input.run, rows);
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

/** The group that is due first, of those the one that waited longest; undefined when every group's newest rows are scored. */
function earliest(
  { runs, scored, lastFrameMs, restUntilMs }: LoopState,
  share: ScoreLoopOptions['share'],
): Due | undefined {
  let first: (Due & { sinceMs: number }) | undefined;
  for (const [run, rows] of runs) {
    for (const [place, group] of [...rows.groups.values()].entries()) {
      if (place % share.of !== share.index) continue;
      const last = scored.get(keyOf({ run, group }));
      if (last?.version === group.version) continue;
      const sinceMs = last?.endedMs ?? -CADENCE_MS;
      const restedMs = Math.max(sinceMs + CADENCE_MS, restUntilMs);
      const atMs = Math.min(restedMs, sinceMs + OLDEST_MS, lastFrameMs + QUIET_MS);
      const sooner = !first || atMs < first.atMs || (atMs === first.atMs && sinceMs < first.sinceMs);
      if (sooner) first = { run, rows, group, atMs, sinceMs };
    }
  }
  return first;
}

async function scoreDue(state: LoopState, due: Due, options: ScoreLoopOptions): Promise<void> {
  const { clock, algebra, publish, onFrozen } = options;
  const { run, rows, group } = due;
  const { version } = group;
  const startedMs = clock.monotonicMs();
  const job = { run, group: { ...group }, selection: selectRows(group, rows.book) };
  try {
    publish(await scoreGroup({ ...job, algebra, onFrozen, nowMs: () => clock.monotonicMs() }));
  } catch (error) {
    const stack = String((error as Error).stack ?? error);
    publish({ type: 'fault', score: emptyScore(job, 'A fault: the log of the analyzer says more.'), stack });
  }
  const endedMs = clock.monotonicMs();
  state.scored.set(keyOf(due), { version, endedMs });
  state.restUntilMs = endedMs + (options.share.of / CORE_SHARE - 1) * (endedMs - startedMs);
}
