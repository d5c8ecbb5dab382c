/** What the connections of a stream server share: settings, limits, the streams, and the number of refusals. */
import type { WebSocket } from 'ws';
import type { ErrorCode } from '../../../protocol/errors.ts';
import type { DataMessage } from '../../../protocol/stream/frames.ts';
import type { Clock } from '../../../process/clock.ts';
import type { Logger } from '../../../process/log.ts';
import type { UpgradeSource } from '../../http/server.ts';
import {
  createIncomingStream,
  type RecordedAt,
  type RecordSink,
  type IncomingStream,
  type StreamPlace,
} from './incoming-stream.ts';
import type { AgentRates } from './agent-rates.ts';
import type { TokenClaims } from '../auth/access-token.ts';
import type { StreamLimits } from './limits.ts';

export interface StreamServerOptions {
  server: UpgradeSource;
  path?: string;
  /** @throws EntrainError TOKEN_INVALID */
  authorize(token: string): TokenClaims;
  /** Refuses a frame that may not count, by throwing an `EntrainError`. Left out, every valid frame counts. */
  admit?(message: DataMessage, claims: TokenClaims): void;
  /** @param agent whose token opens the stream first */
  record(run: string, stream: string, agent: string): RecordSink | Promise<RecordSink>;
  /** Called once per frame and in order, after the frame was synced to disk. */
  onRecorded(message: DataMessage, at: RecordedAt): void;
  limits?: Partial<StreamLimits>;
  log: Logger;
  clock: Clock;
}

/** What the parts of the server share. */
export interface ServerState {
  options: StreamServerOptions;
  limits: StreamLimits;
  /** What each agent has sent lately. */
  rates: AgentRates;
  streams: Map<string, Promise<IncomingStream>>;
  /** Streams whose recording is open. */
  openStreams: Map<string, IncomingStream>;
  refused: Partial<Record<RefusalCause, number>>;
  addresses: Map<string, number>;
  /** Number of open connections by the agent that their tokens name. */
  agents: Map<string, number>;
  /** Open connections by stream, oldest first. */
  clients: Map<string, WebSocket[]>;
}

/**
 * What is counted against senders; the keys are labels of a metric. A sender is told the text if its open WebSocket is
 * closed for that cause; before that it gets an HTTP status.
 */
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
  clock: 'a clock reply that cannot be true',
  rate: 'more bytes than an agent may send: read later',
} as const;

export type RefusalCause = keyof typeof REFUSALS | ErrorCode;

/**
 * Counts a refusal. It is logged at the 1st, 10th, 100th, … time, so that strangers cannot fill the disk with
 * log lines.
 */
export function countRefused(state: ServerState, cause: RefusalCause, why?: string): void {
  const times = (state.refused[cause] ?? 0) + 1;
  state.refused[cause] = times;
  if (Number.isInteger(Math.log10(times))) state.options.log.warn({ cause, times, why }, 'turned away');
}

/** Whether the recording of a stream is open, so that a hello can be answered at once. */
export const isOpen = (state: ServerState, { run, stream }: StreamPlace): boolean =>
  state.openStreams.has(`${run}/${stream}`);

/** @returns false, with nothing done, if a stream of the run is in use */
export function forgetStreams({ streams, openStreams, clients }: ServerState, run: string): boolean {
  const ofRun = (all: ReadonlyMap<string, unknown>): string[] =>
    [...all.keys()].filter((key) => key.startsWith(`${run}/`));
  const isInUse = (key: string): boolean => {
    const incoming = openStreams.get(key);
    // One that is being opened is in nobody's hands yet.
    return !incoming || incoming.holder !== undefined || incoming.committing || incoming.waiting.length > 0;
  };
  const known = ofRun(streams);
  if (ofRun(clients).length > 0 || known.some(isInUse)) return false;
  for (const key of known) {
    streams.delete(key);
    openStreams.delete(key);
  }
  return true;
}

/** The stream of that name. Its recording is opened, and recovered, at the first hello. */
export function incomingStreamOf(
  state: ServerState,
  { run, stream }: StreamPlace,
  agent: string,
): Promise<IncomingStream> {
  const key = `${run}/${stream}`;
  const known = state.streams.get(key);
  if (known) return known;
  const made = Promise.resolve(state.options.record(run, stream, agent)).then((sink) => {
    const incoming = createIncomingStream({ run, stream }, sink);
    state.openStreams.set(key, incoming);
    return incoming;
  });
  state.streams.set(key, made);
  made.catch(() => state.streams.delete(key));
  return made;
}
