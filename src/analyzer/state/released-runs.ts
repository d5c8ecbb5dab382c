/**
 * Runs whose rows were given back because they have long been silent and are scored to the end. When one speaks up again after all, its frames
 * wait until the rows are read back from the recording; what was counted stays, so scores go on where they stood.
 */
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import type { EpisodeBook } from '../ingest/episode-index.ts';
import { awaitsScores } from './run-end.ts';
import type { RunState } from './run-state.ts';
import type { DurableFrame } from './score-store.ts';
import type { RunRelease, ScoreInput } from '../scoring/messages.ts';

export type RecordedFrame = Omit<DurableFrame, 'arrivedMs'>;

export interface ReleaseOptions {
  clock: Clock;
  log: Logger;
  /** Silence after which a run is taken to have ended. */
  afterMs: number;
  readBack(run: string): AsyncIterable<RecordedFrame>;
  send(input: ScoreInput | RunRelease): void;
}

export interface ReleasedRuns {
  /** Whether the frame has to wait; `take` is called with it later. */
  holdBack(frame: DurableFrame, state: RunState, take: (frame: DurableFrame) => void): boolean;
  /** Gives back the rows of runs that have been silent for so long. */
  sweep(states: Iterable<RunState>): void;
}

export function createReleasedRuns(options: ReleaseOptions): ReleasedRuns {
  const { clock, log, afterMs, send } = options;
  const lastMs = new Map<string, number>();
  const released = new Set<string>();
  const waiting = new Map<string, DurableFrame[]>();
  const goOn = async (state: RunState, take: (frame: DurableFrame) => void): Promise<void> => {
    const { run } = state;
    await readRowsBack(state, options);
    const held = waiting.get(run) ?? [];
    waiting.delete(run);
    released.delete(run);
    held.forEach(take);
  };
  return {
    holdBack: (frame, state, take) => {
      const { run } = frame;
      lastMs.set(run, clock.monotonicMs());
      const held = waiting.get(run);
      if (held) held.push(frame);
      if (held || !released.has(run)) return held !== undefined;
      waiting.set(run, [frame]);
      void goOn(state, take);
      return true;
    },
    sweep: (states) => {
      for (const state of states) {
        const { run } = state;
        const silentMs = clock.monotonicMs() - (lastMs.get(run) ?? Number.POSITIVE_INFINITY);
        if (released.has(run) || silentMs < afterMs || awaitsScores(state)) continue;
        released.add(run);
        send({ type: 'release', run });
        log.info({ run }, 'the rows of a silent run are released');
      }
    },
  };
}

async function readRowsBack({ run, book }: RunState, { readBack, send, log }: ReleaseOptions): Promise<void> {
  try {
    for await (const recorded of readBack(run)) {
      const input = inputOf(recorded, book);
      if (input) send(input);
    }
  } catch (error) {
    log.error({ err: error, run }, 'the rows of a run could not be read back');
  }
}

/** Of what is recorded, the frames that count: a turn that another frame has replaced stays out. */
function inputOf({ run, origin, message }: RecordedFrame, book: EpisodeBook<null>): ScoreInput | undefined {
  if (message.type === 'episode') return { type: 'frame', run, origin, frame: message, again: true };
  if (message.type !== 'turn') return undefined;
  const known = book.episode(message.episode)?.turns.get(message.turn)?.origin;
  const counts = known?.stream === origin.stream && known.epoch === origin.epoch && known.seq === origin.seq;
  return counts ? { type: 'frame', run, origin, frame: message, again: true } : undefined;
}
