/**
 * Decides when the branches of a group are scored anew: two seconds after its histories have changed at the earliest,
 * seldom enough that it takes about a quarter of one core, and at once when the run is quiet. It owns the histories of
 * its groups and runs in a score worker.
 */
import type { Clock } from '../../process/clock.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import { Stopped } from '../scoring/interruptible-algebra.ts';
import type { Group } from '../ingest/episode-index.ts';
import type { OwnedHistory } from './branch-index.ts';
import { historyId, keptBranchEpisodes, MAX_BRANCHES, type GroupHistories } from './branch-rows.ts';
import type { BranchScore, RunForgotten, RunRelease } from '../scoring/messages.ts';
import { emptyBranchScore, scoreBranches } from './score-branches.ts';

/** Histories for the score worker that owns their group. */
export interface HistoriesInput {
  type: 'histories';
  run: string;
  group: Group;
  version: number;
  histories: OwnedHistory[];
}

export interface BranchLoop {
  take(input: HistoriesInput): void;
  /** Something of the run has come that concerns no branch. */
  hear(run: string): void;
  /** The histories of a run are not needed for now. */
  /** Drops the histories of a run, or all that is known of it. */
  drop(input: RunRelease | RunForgotten): void;
  stop(): void;
}

export interface BranchLoopOptions {
  clock: Clock;
  /** Ends the work at hand once the loop is stopped. */
  algebra: LinearAlgebra;
  publish(score: BranchScore): void;
}

const CADENCE_MS = 2000;
/** A loop rests so many times as long as it has worked. */
const REST = 3;
/** A run of which nothing comes for this time has probably ended, and its groups are scored at once. */
const QUIET_MS = 1000;

interface Owned {
  run: string;
  histories: GroupHistories;
  scored: number;
  dueMs: number;
}

export function createBranchLoop({ clock, algebra, publish }: BranchLoopOptions): BranchLoop {
  const owned = new Map<string, Owned>();
  /** Run → monotonic time of its last input. */
  const heardMs = new Map<string, number>();
  let [timer, busy, stopped, restUntilMs] = [undefined as NodeJS.Timeout | undefined, false, false, 0];
  const atMs = ({ run, dueMs }: Owned): number =>
    Math.min(Math.max(dueMs, restUntilMs), (heardMs.get(run) ?? 0) + QUIET_MS);
  const arm = (): void => {
    clearTimeout(timer);
    const due = busy || stopped ? undefined : nextDue(owned, atMs);
    if (due) timer = setTimeout(() => void work(), Math.max(0, atMs(due) - clock.monotonicMs()));
  };
  const work = async (): Promise<void> => {
    const due = nextDue(owned, atMs);
    if (busy || stopped || !due) return;
    // Something may have come since the timer was set.
    if (atMs(due) > clock.monotonicMs()) return arm();
    busy = true;
    const startedMs = clock.monotonicMs();
    due.scored = due.histories.version;
    const score = await scored(due, { algebra, nowMs: () => clock.monotonicMs() });
    const endedMs = clock.monotonicMs();
    due.dueMs = endedMs + CADENCE_MS;
    restUntilMs = endedMs + REST * (endedMs - startedMs);
    busy = false;
    if (score && !stopped) publish(score);
    arm();
  };
  return {
    take: (input) => {
      heardMs.set(input.run, clock.monotonicMs());
      takeHistories(owned, input, clock.monotonicMs());
      arm();
    },
    hear: (run) => void heardMs.set(run, clock.monotonicMs()),
    drop: (input) => dropRun(input, { owned, heardMs }),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function dropRun(
  { type, run }: RunRelease | RunForgotten,
  { owned, heardMs }: { owned: Map<string, Owned>; heardMs: Map<string, number> },
): void {
  for (const [key, one] of owned) {
    if (one.run !== run) continue;
    if (type === 'forget') owned.delete(key);
    else one.histories.histories.clear();
  }
  if (type === 'forget') heardMs.delete(run);
}

/** Of groups that are due at the same time, as in a quiet run, the one that waited longest. */
function nextDue(owned: ReadonlyMap<string, Owned>, atMs: (one: Owned) => number): Owned | undefined {
  return [...owned.values()]
    .filter(({ histories, scored: seen }) => histories.version !== seen)
    .sort((a, b) => atMs(a) - atMs(b) || a.dueMs - b.dueMs)[0];
}

function takeHistories(owned: Map<string, Owned>, input: HistoriesInput, nowMs: number): void {
  const { run, group, version } = input;
  const key = `${run} ${group.key}`;
  const fresh = { group, version: 0, histories: new Map<string, OwnedHistory>() };
  const known = owned.get(key) ?? { run, histories: fresh, scored: 0, dueMs: nowMs + CADENCE_MS };
  owned.set(key, known);
  const { histories } = known.histories;
  known.histories.version = version;
  for (const history of input.histories) histories.set(historyId(history), history);
  // Of other words alone: a turn may have more versions of a moved state than of words.
  const said = [...histories.values()].filter(({ patch }) => !patch);
  const most = Math.max(0, ...said.map((history) => history.most));
  for (const history of said) history.most = most;
  const kept = keptBranchEpisodes(histories.values(), MAX_BRANCHES);
  for (const [id, { episode }] of histories) if (!kept.has(episode)) histories.delete(id);
}

/** Undefined where the loop was stopped meanwhile. */
async function scored(
  { run, histories }: Owned,
  tools: { algebra: LinearAlgebra; nowMs(): number },
): Promise<BranchScore | undefined> {
  const job = { run, histories: { ...histories, histories: new Map(histories.histories) }, ...tools };
  try {
    return await scoreBranches(job);
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    const empty = emptyBranchScore(job, 'A fault: the log of the analyzer says more.');
    return { ...empty, stack: String((error as Error).stack ?? error) };
  }
}
