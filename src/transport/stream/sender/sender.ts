/**
 * An agent's end of the activation stream. A frame is in the spool before it is sent, and stays there until it
 * is acknowledged, so no frame is lost when the agent, the analyzer or the connection fails in between.
 *
 *   append ─▶ spool ─▶ socket ─▶ analyzer ─▶ ack ─▶ trim
 */
import { createMessageLender } from '../../../protocol/stream/message-buffer.ts';
import { keepEpisodes } from './kept-episodes.ts';
import type { Frame, StreamSenderOptions } from './ports.ts';
import { createStreamSession } from './session.ts';

export type { Frame } from './ports.ts';

export interface StreamSenderStatus {
  epoch: number;
  /** Number of the last appended frame; −1 before the first. */
  lastSeq: number;
  ackedSeq: number;
  connected: boolean;
  spoolBytes: number;
  /** Share of the spool in use, from 0 to 1. */
  spoolShare: number;
  /**
   * How long the oldest unacknowledged frame has waited; without one, how long the last one did. Milliseconds.
   */
  ackLagMs: number;
  sentFrames: number;
  gapFrames: number;
  connections: number;
  /** Why the analyzer ended the last session, until it acknowledges something again. */
  refusal: string | undefined;
  pauses: { turn: number; token: number };
}

export interface StreamSender {
  readonly epoch: number;
  /** Origin of the frames' `tNs` on the monotonic clock, nanoseconds. */
  readonly epochStartNs: bigint;
  /**
   * Puts a frame into the spool and gives its sequence number. On return its arrays belong to the caller again.
   */
  append(frame: Frame): number;
  lastSeq(): number;
  /** Whether the spool has room for a turn or a token. */
  hasRoom(kind: 'turn' | 'token'): boolean;
  /** Settles when the spool has room: turns wait while it is 80 % full, tokens while it is 95 % full. */
  room(kind: 'turn' | 'token'): Promise<void>;
  /** Whether the analyzer welcomed this sender, or said that it is opening the recording, within the time. */
  welcomed(timeoutMs: number): Promise<boolean>;
  /** Whether everything was acknowledged within the time. */
  drained(timeoutMs: number): Promise<boolean>;
  status(): StreamSenderStatus;
  /** Ends the connection; the next one goes where the address is now. */
  reconnect(): void;
  close(): Promise<void>;
}

const FULL_FROM = { turn: 0.8, token: 0.95 } as const;
const GREETING_MS = 2000;

/**
 * Creates a sender. Settles when its epoch is known: after one round trip, or after `greetingMs` without an
 * analyzer.
 */
export async function createStreamSender(options: StreamSenderOptions): Promise<StreamSender> {
  const { spool, keep } = keepEpisodes(options.spool);
  const session = createStreamSession({ ...options, spool });
  const epoch = chooseEpoch(spool.lastEpoch(), {
    analyzerEpoch: await session.analyzerEpoch(options.greetingMs ?? GREETING_MS),
    nowMs: options.clock.nowMs(),
  });
  spool.begin(epoch);
  const epochStartNs = options.clock.monotonicNs();
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
      if (frame.type === 'episode') keep(seq, message.bytes);
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
    reconnect: () => session.reconnect(),
    close: () => session.close(),
  };
}

const spoolFigures = (spool: StreamSenderOptions['spool']) => ({
  spoolBytes: spool.bytes(),
  spoolShare: spool.fullness(),
});

/**
 * One more than every epoch known. A new spool that cannot ask the analyzer takes the seconds since 1970:
 * larger than any epoch counted from 1, and than any earlier one made this way, so no two starts share an
 * epoch.
 */
export function chooseEpoch(
  spoolEpoch: number,
  { analyzerEpoch, nowMs }: { analyzerEpoch: number | undefined; nowMs: number },
): number {
  if (analyzerEpoch === undefined && spoolEpoch === 0) return Math.floor(nowMs / 1000);
  return 1 + Math.max(spoolEpoch, analyzerEpoch ?? 0);
}
