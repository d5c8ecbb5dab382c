/**
 * An agent's end of the activation stream. A frame is in the spool before it is sent and leaves it when it is
 * acknowledged; between the two the agent, the analyzer or the line may die any number of times.
 *
 *   append ─▶ spool ─▶ socket ─▶ analyzer ─▶ ack ─▶ trim
 */
import { createMessageLender } from '../../protocol/stream/message-buffer.ts';
import type { Frame, StreamSenderOptions } from './ports.ts';
import { createStreamSession } from './session.ts';

export type { Frame } from './ports.ts';

export interface StreamSenderStatus {
  epoch: number;
  /** −1 before the first frame. */
  lastSeq: number;
  ackedSeq: number;
  connected: boolean;
  spoolBytes: number;
  /** Share of the spool that is taken, 0..1. */
  spoolShare: number;
  /** How long the oldest frame without acknowledgement has waited, or the last one did. */
  ackLagMs: number;
  sentFrames: number;
  gapFrames: number;
  connections: number;
  pauses: { turn: number; token: number };
}

export interface StreamSender {
  readonly epoch: number;
  /** Zero of the frames' `tNs` on the monotonic clock. */
  readonly epochStartNs: bigint;
  /** Sequence number of the frame, which is in the spool when this returns; its arrays are the caller's again. */
  append(frame: Frame): number;
  lastSeq(): number;
  /** Whether there is room now. */
  hasRoom(kind: 'turn' | 'token'): boolean;
  /** Settles when there is room: turns wait from 80 % of the spool on, tokens from 95 %. */
  room(kind: 'turn' | 'token'): Promise<void>;
  /** True when the analyzer has welcomed this sender within the time, or said that it is opening the recording. */
  welcomed(timeoutMs: number): Promise<boolean>;
  /** True when everything was acknowledged within the time. */
  drained(timeoutMs: number): Promise<boolean>;
  status(): StreamSenderStatus;
  close(): Promise<void>;
}

const FULL_FROM = { turn: 0.8, token: 0.95 } as const;
const GREETING_MS = 2000;

/** Settles when the epoch is known, which takes one round trip, or `greetingMs` while the analyzer is away. */
export async function createStreamSender(options: StreamSenderOptions): Promise<StreamSender> {
  const { spool, clock } = options;
  const session = createStreamSession(options);
  const epoch = chooseEpoch(spool.lastEpoch(), {
    analyzerEpoch: await session.analyzerEpoch(options.greetingMs ?? GREETING_MS),
    nowMs: clock.nowMs(),
  });
  spool.begin(epoch);
  const epochStartNs = clock.monotonicNs();
  session.begin(epochStartNs);
  const lend = createMessageLender();
  let lastSeq = -1;
  const pauses = { turn: 0, token: 0 };
  const hasRoom = (kind: 'turn' | 'token'): boolean => spool.fullness() < FULL_FROM[kind];
  return {
    epoch,
    epochStartNs,
    append: (frame) => {
      const seq = lastSeq + 1;
      const message = lend({ ...frame, seq });
      spool.append(seq, message.bytes, message.crc);
      lastSeq = seq;
      session.appended(seq, message);
      return seq;
    },
    lastSeq: () => lastSeq,
    hasRoom,
    room: async (kind) => {
      if (hasRoom(kind)) return;
      pauses[kind] += 1;
      await session.until(() => hasRoom(kind));
    },
    welcomed: (timeoutMs) => session.until(() => session.isMet(), timeoutMs),
    drained: (timeoutMs) => session.until(() => session.isDrained(epoch, lastSeq), timeoutMs),
    status: () => ({ epoch, lastSeq, ...session.status(), ...spoolFigures(spool), pauses: { ...pauses } }),
    close: () => session.close(),
  };
}

const spoolFigures = (spool: StreamSenderOptions['spool']) => ({
  spoolBytes: spool.bytes(),
  spoolShare: spool.fullness(),
});

/**
 * One more than every epoch known. A fresh spool that cannot ask the analyzer takes the seconds since 1970: larger than
 * any epoch counted from 1 and than any earlier one made this way, so that no two starts ever share an epoch.
 */
export function chooseEpoch(
  spoolEpoch: number,
  { analyzerEpoch, nowMs }: { analyzerEpoch: number | undefined; nowMs: number },
): number {
  if (analyzerEpoch === undefined && spoolEpoch === 0) return Math.floor(nowMs / 1000);
  return 1 + Math.max(spoolEpoch, analyzerEpoch ?? 0);
}
