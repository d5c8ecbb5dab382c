/**
 * Decides when a group is scored anew: soon after its rows have changed, but never so often that scoring takes more than a
 * quarter of the time; at once when the stream has gone quiet. It runs in the score worker.
 */
import type { Clock } from '../process/clock.ts';
import type { LinearAlgebra } from '../synchrony/types.ts';
import { createEpisodeBook, type EpisodeBook } from './episode-book.ts';
import { applyChange, selectRows, type GroupRows } from './group-rows.ts';
import { emptyScore, scoreGroup } from './score-group.ts';
import type { ScoreAnswer, ScoreInput } from './score-messages.ts';
import { turnNumbers, type TurnNumbers } from './turn-numbers.ts';

export interface ScoreLoopOptions {
  clock: Clock;
  algebra: LinearAlgebra;
  publish(answer: ScoreAnswer): void;
}

export interface ScoreLoop {
  take(input: ScoreInput): void;
  stop(): void;
}

interface RunRows {
  book: EpisodeBook<TurnNumbers>;
  groups: Map<string, GroupRows>;
}

/** When a group was last scored and what it cost. */
interface Pace {
  version: number;
  endedMs: number;
  computedMs: number;
}

interface Due {
  run: string;
  rows: RunRows;
  group: GroupRows;
  atMs: number;
}

const CADENCE_MS = 2000;
/** Idle time after a score, in multiples of what it cost. */
const REST = 3;
/** A stream without a frame for so long has probably ended: what is left is scored at once. */
const QUIET_MS = 1000;

export function createScoreLoop(options: ScoreLoopOptions): ScoreLoop {
  const { clock } = options;
  const runs = new Map<string, RunRows>();
  const paces = new Map<string, Pace>();
  let lastFrameMs = clock.monotonicMs();
  let timer: NodeJS.Timeout | undefined;
  let busy = false;
  const due = (): Due | undefined => earliest(runs, paces, lastFrameMs);
  const arm = (): void => {
    const next = busy ? undefined : due();
    clearTimeout(timer);
    if (next) timer = setTimeout(() => void work(), Math.max(0, next.atMs - clock.monotonicMs()));
  };
  const work = async (): Promise<void> => {
    const next = due();
    if (busy || !next || next.atMs > clock.monotonicMs()) return arm();
    busy = true;
    paces.set(paceKey(next), await scoreDue(next, options));
    busy = false;
    arm();
  };
  return {
    take: (input) => {
      lastFrameMs = clock.monotonicMs();
      const rows = runs.get(input.run) ?? { book: createEpisodeBook<TurnNumbers>(), groups: new Map() };
      runs.set(input.run, rows);
      takeInput(rows, input);
      arm();
    },
    stop: () => {
      busy = true;
      clearTimeout(timer);
    },
  };
}

function takeInput({ book, groups }: RunRows, { frame, origin }: ScoreInput): void {
  const change =
    frame.type === 'episode'
      ? book.addEpisode(frame)
      : book.addTurn(frame.episode, { turn: frame.turn, origin, payload: turnNumbers(frame) });
  const episode = book.episode(frame.episode);
  if (episode) applyChange(groups, episode, change);
}

const paceKey = ({ run, group }: Pick<Due, 'run' | 'group'>): string => `${run} ${group.group.key}`;

/** The group that is due first; undefined when every group's newest rows are scored. */
function earliest(
  runs: ReadonlyMap<string, RunRows>,
  paces: ReadonlyMap<string, Pace>,
  lastFrameMs: number,
): Due | undefined {
  let first: Due | undefined;
  for (const [run, rows] of runs) {
    for (const group of rows.groups.values()) {
      const pace = paces.get(paceKey({ run, group }));
      if (pace?.version === group.version) continue;
      const restedMs = pace ? pace.endedMs + Math.max(CADENCE_MS, REST * pace.computedMs) : 0;
      const atMs = Math.min(restedMs, lastFrameMs + QUIET_MS);
      if (!first || atMs < first.atMs) first = { run, rows, group, atMs };
    }
  }
  return first;
}

async function scoreDue({ run, rows, group }: Due, options: ScoreLoopOptions): Promise<Pace> {
  const { clock, algebra, publish } = options;
  const { version } = group;
  const startedMs = clock.monotonicMs();
  const job = { run, group: { ...group }, selection: selectRows(group, rows.book) };
  try {
    publish(await scoreGroup({ ...job, algebra, nowMs: () => clock.monotonicMs() }));
  } catch (error) {
    const stack = String((error as Error).stack ?? error);
    publish({ type: 'fault', score: emptyScore(job, 'A fault: the log of the analyzer says more.'), stack });
  }
  const endedMs = clock.monotonicMs();
  return { version, endedMs, computedMs: endedMs - startedMs };
}
