/**
 * Runs whose rows were released: they are scored to the end and have long been silent, or their memory was needed.
 * When such a run sends a frame again, the frame waits until the rows are read back from the recording. Counts are
 * kept, so the scores continue.
 */
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import type { HistoriesInput } from '../branches/branch-loop.ts';
import { allHistories } from '../branches/branch-state.ts';
import type { DurableFrame, RecordedFrame } from '../ingest/durable-frame.ts';
import type { RowMemory } from '../ingest/row-memory.ts';
import { bytesOfTurn, shareTurn } from '../ingest/turn-numbers.ts';
import type { RowsInput, RunRelease } from '../scoring/messages.ts';
import { awaitsScores } from './run-end.ts';
import { allRows, dropNumbers, type RunState } from './run-state.ts';

export interface ReleaseOptions {
  clock: Clock;
  log: Logger;
  /** Silence after which a run is assumed to have ended. */
  afterMs: number;
  memory: RowMemory;
  readBack(run: string): AsyncIterable<RecordedFrame>;
  send(input: RowsInput | HistoriesInput | RunRelease): void;
}

export interface ReleasedRuns {
  /** Whether the frame has to wait; `take` is then called with it later. */
  holdBack(frame: DurableFrame, state: RunState, take: (frame: DurableFrame) => void): boolean;
  /** Releases the rows of runs that have been silent for `afterMs`. */
  sweep(states: Iterable<RunState>): void;
  /** Releases the rows of runs with final scores, oldest first, until memory is no longer full. */
  freeMemory(states: Iterable<RunState>): void;
  /** Milliseconds since the last frame of a run. */
  silentMs(run: string): number;
  forget(run: string): void;
}

interface Held {
  lastMs: Map<string, number>;
  released: Set<string>;
  waiting: Map<string, DurableFrame[]>;
}

export function createReleasedRuns(options: ReleaseOptions): ReleasedRuns {
  const { clock, afterMs, memory } = options;
  const held: Held = { lastMs: new Map(), released: new Set(), waiting: new Map() };
  const { lastMs, released, waiting } = held;
  const silentMs = (run: string): number =>
    clock.monotonicMs() - (lastMs.get(run) ?? Number.POSITIVE_INFINITY);
  return {
    holdBack: (frame, state, take) => {
      const { run } = frame;
      lastMs.set(run, clock.monotonicMs());
      const queue = waiting.get(run);
      if (queue) queue.push(frame);
      if (queue || !released.has(run)) return queue !== undefined;
      waiting.set(run, [frame]);
      void goOn(state, held, { ...options, take });
      return true;
    },
    sweep: (states) => {
      for (const state of states) {
        if (!released.has(state.run) && silentMs(state.run) >= afterMs && !awaitsScores(state))
          release(state, held, options);
      }
    },
    freeMemory: (states) => {
      const age = ({ run }: RunState): number => lastMs.get(run) ?? 0;
      const finished = [...states].filter(({ run, phase }) => phase === 'final' && !released.has(run));
      for (const state of finished.toSorted((a, b) => age(a) - age(b)))
        if (memory.isFull()) release(state, held, options);
    },
    silentMs,
    forget: (run) => {
      lastMs.delete(run);
      released.delete(run);
    },
  };
}

function release(state: RunState, { released }: Held, { send, log, memory }: ReleaseOptions): void {
  const { run } = state;
  released.add(run);
  dropNumbers(state, memory);
  send({ type: 'release', run });
  log.info({ run }, 'the rows of a run are released');
}

async function goOn(
  state: RunState,
  { waiting, released }: Held,
  options: ReleaseOptions & { take(frame: DurableFrame): void },
): Promise<void> {
  const { run } = state;
  await readRowsBack(state, options);
  const queue = waiting.get(run) ?? [];
  waiting.delete(run);
  released.delete(run);
  queue.forEach(options.take);
}

async function readRowsBack(state: RunState, { readBack, send, log, memory }: ReleaseOptions): Promise<void> {
  const { run } = state;
  try {
    for await (const recorded of readBack(run)) takeBack(state, recorded, memory);
  } catch (error) {
    log.error({ err: error, run }, 'the rows of a run could not be read back');
  }
  for (const update of allRows(state)) send({ type: 'rows', run, ...update });
  allHistories(state.branches, run).forEach(send);
}

/** Restores the states of a recorded turn, if it is the one that counts; a replaced turn stays out. */
function takeBack(
  { run, index, branches }: RunState,
  { origin, message }: RecordedFrame,
  memory: RowMemory,
): void {
  if (message.type === 'branch') return memory.take(run, branches.index.takeBack(message, origin));
  if (message.type !== 'turn') return;
  const known = index.episode(message.episode)?.turns.get(message.turn);
  const { stream, epoch, seq } = known?.origin ?? {};
  if (!known || stream !== origin.stream || epoch !== origin.epoch || seq !== origin.seq) return;
  const payload = shareTurn(message);
  memory.take(run, bytesOfTurn(payload) - bytesOfTurn(known.payload));
  known.payload = payload;
}
