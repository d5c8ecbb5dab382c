/** What the connections of a stream server share: its settings and limits, the seats of the streams, the refusals. */
import type { WebSocket } from 'ws';
import type { ErrorCode } from '../../protocol/errors.ts';
import type { DataMessage } from '../../protocol/stream/frames.ts';
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import type { UpgradeSource } from '../http/server.ts';
import { createSeat, type RecordedAt, type RecordSink, type Seat, type StreamPlace } from './slot.ts';
import type { TokenClaims } from './token.ts';

export interface StreamLimits {
  maxMessageBytes: number;
  /** How much of a stream may be under way or waiting for the disk. */
  creditBytes: number;
  connections: number;
  connectionsPerAddress: number;
  /** A message that is not whole is kept in memory, so who may write one stream may not hold many connections. */
  connectionsPerStream: number;
  /** Over all runs and streams of an agent. */
  connectionsPerAgent: number;
  helloMs: number;
}

export interface StreamServerOptions {
  server: UpgradeSource;
  path?: string;
  /** @throws EntrainError TOKEN_INVALID */
  authorize(token: string): TokenClaims;
  /** Whether a frame may count. @throws EntrainError; left out, all may */
  admit?(message: DataMessage, claims: TokenClaims): void;
  record(run: string, stream: string): RecordSink | Promise<RecordSink>;
  /** Called in order, once per frame, when the frame is synced. */
  onRecorded(message: DataMessage, at: RecordedAt): void;
  limits?: Partial<StreamLimits>;
  log: Logger;
  clock: Clock;
}

export const STREAM_LIMITS: StreamLimits = {
  maxMessageBytes: 16 * 2 ** 20,
  creditBytes: 8 * 2 ** 20,
  connections: 1024,
  connectionsPerAddress: 256,
  connectionsPerStream: 3,
  connectionsPerAgent: 48,
  helloMs: 5000,
};

/** What the parts of the server share. */
export interface ServerState {
  options: StreamServerOptions;
  limits: StreamLimits;
  seats: Map<string, Promise<Seat>>;
  /** Seats that are open, for the figures. */
  figures: Map<string, Seat>;
  refused: Partial<Record<RefusalCause, number>>;
  addresses: Map<string, number>;
  /** Open connections by the agent that their tokens name. */
  agents: Map<string, number>;
  /** Open connections by stream, the oldest first. */
  clients: Map<string, WebSocket[]>;
}

/** Why a connection or a frame was turned away: what the sender is told. The codes are the labels of a metric. */
export const REFUSALS = {
  path: 'another path',
  connections: 'too many connections',
  agent_connections: 'too many connections of this agent',
  stream_connections: 'too many connections of this stream',
  authorize: 'the token could not be checked',
  mode: 'the token may not write',
  socket: 'the connection failed',
  no_hello: 'no hello in time',
  text: 'text message',
  not_opened: 'stream not opened',
  wrong_way: 'a message that only the analyzer sends',
  other_stream: 'the token is for another stream',
  no_welcome: 'frame before welcome',
  credits: 'more than the credits',
} as const;

export type RefusalCause = keyof typeof REFUSALS | ErrorCode;

/** Whoever is turned away often is in the log at the 1st, 10th, 100th, … time: what strangers send cannot fill the disk. */
export function countRefused(state: ServerState, cause: RefusalCause, why?: string): void {
  const times = (state.refused[cause] ?? 0) + 1;
  state.refused[cause] = times;
  if (Number.isInteger(Math.log10(times))) state.options.log.warn({ cause, times, why }, 'turned away');
}

/** Whether the recording of a stream is open, so that a hello can be answered at once. */
export const isOpen = (state: ServerState, { run, stream }: StreamPlace): boolean =>
  state.figures.has(`${run}/${stream}`);

/** The seat of a stream; made, and its recording recovered, when the stream first says hello. */
export function seatOf(state: ServerState, { run, stream }: StreamPlace): Promise<Seat> {
  const key = `${run}/${stream}`;
  const known = state.seats.get(key);
  if (known) return known;
  const made = Promise.resolve(state.options.record(run, stream)).then((sink) => {
    const seat = createSeat({ run, stream }, sink);
    state.figures.set(key, seat);
    return seat;
  });
  state.seats.set(key, made);
  made.catch(() => state.seats.delete(key));
  return made;
}
