/**
 * The server's end of one WebSocket: answers hellos, takes frames, acknowledges them, measures the clock, and
 * closes the connection at the first fault.
 */
import type { RawData, WebSocket } from 'ws';
import { checkBounds } from '../../../protocol/stream/bounds.ts';
import { crcOfMessage, decodeMessage, encodeMessage } from '../../../protocol/stream/codec.ts';
import { EntrainError } from '../../../protocol/errors.ts';
import type { DataMessage, Hello, StreamMessage } from '../../../protocol/stream/frames.ts';
import { createClockExchange, type ClockEstimate, type ClockExchange } from './clock-offset.ts';
import { acceptFrame, type IncomingStream } from './incoming-stream.ts';
import {
  countRefused,
  isOpen,
  REFUSALS,
  incomingStreamOf,
  type RefusalCause,
  type ServerState,
} from './registry.ts';
import type { TokenClaims } from '../auth/access-token.ts';

/** WebSocket close codes of the private range: what the sender did wrong. */
const CLOSE = { invalid: 4000, replaced: 4001, forbidden: 4003, expired: 4004, credits: 4008 } as const;
/** Close code of a sender that has nothing more to send. */
const CLOSE_IN_ORDER = 1000;
const PING_MS = 3000;
const SILENCE_MS = 9000;
/** How long a sender may have gone without an analyzer before its stream was first recorded. */
const LONGEST_WAIT_MS = 86_400_000;

interface Connection {
  state: ServerState;
  client: WebSocket;
  claims: TokenClaims;
  clock: ClockExchange;
  incoming: IncomingStream | undefined;
  /** Hellos without a welcome yet; while there is one, no frame may come. */
  pendingHellos: number;
  /** Settles when all hellos so far are answered. */
  answered: Promise<void>;
  heardMs: number;
  timers: NodeJS.Timeout[];
}

/** Serves an upgraded connection until it closes. The token was checked before. */
export function serveConnection(state: ServerState, client: WebSocket, claims: TokenClaims): void {
  const { clock, log } = state.options;
  const connection: Connection = {
    state,
    client,
    claims,
    clock: createClockExchange({
      clock,
      send: (message) => send(client, message),
      onEstimate: (estimate) => noteClock(connection, estimate),
      onImplausible: () => countRefused(state, 'clock'),
      oldestEpochNs: () => oldestEpochNs(connection),
    }),
    incoming: undefined,
    pendingHellos: 0,
    answered: Promise.resolve(),
    heardMs: clock.monotonicMs(),
    timers: [],
  };
  watch(connection);
  client.on('message', (data, isBinary) => receive(connection, data, isBinary));
  client.on('error', (error) => {
    countRefused(state, 'socket');
    log.warn({ err: error, agent: claims.agent }, 'stream connection failed');
  });
  client.on('close', (code) => {
    connection.clock.stop();
    for (const timer of connection.timers) clearInterval(timer);
    if (connection.incoming?.holder !== holderOf(connection)) return;
    leave(connection.incoming, { done: code === CLOSE_IN_ORDER });
    log.info({ ...connection.incoming.place, code }, 'stream left');
  });
}

/** One object per connection, so that a stream knows which connection holds it. */
const holders = new WeakMap<Connection, NonNullable<IncomingStream['holder']>>();

function holderOf(connection: Connection): NonNullable<IncomingStream['holder']> {
  const { client, state } = connection;
  const known = holders.get(connection);
  if (known) return known;
  const holder = {
    acknowledge: (durableSeq: number): void =>
      send(client, { type: 'ack', durableSeq, credits: state.limits.creditBytes }),
    replace: (): void => client.close(CLOSE.replaced, 'another connection took over this stream'),
  };
  holders.set(connection, holder);
  return holder;
}

function leave(incoming: IncomingStream, { done }: { done: boolean }): void {
  incoming.holder = undefined;
  incoming.figures.connected = false;
  incoming.figures.done = done;
}

function watch(connection: Connection): void {
  const { client, state } = connection;
  const { clock } = state.options;
  client.on('pong', () => hear(connection));
  const alive = setInterval(() => {
    if (isExpired(connection)) expire(connection);
    else if (clock.monotonicMs() - connection.heardMs > SILENCE_MS) client.terminate();
    else client.ping();
  }, PING_MS);
  const hello = setTimeout(() => {
    if (!connection.incoming && connection.pendingHellos === 0) end(connection, CLOSE.invalid, 'no_hello');
  }, state.limits.helloMs);
  connection.timers.push(alive, hello);
}

/** What a token allows ends with it; the sender connects again with the next one, and nothing of its frames is lost. */
const isExpired = ({ claims, state }: Connection): boolean =>
  state.options.clock.nowMs() >= claims.expiresAtMs;

function expire({ client }: Connection): void {
  client.close(CLOSE.expired, 'the token has expired: connect with another');
}

/** Reads on once the agent's share of the time allows it; until then TCP slows the sender down. */
function keepRate({ client, state, claims }: Connection, bytes: number): void {
  const waitMs = state.rates.take(claims.agent, bytes);
  if (waitMs <= 0) return;
  countRefused(state, 'rate');
  client.pause();
  setTimeout(() => client.resume(), waitMs).unref();
}

function hear(connection: Connection): void {
  connection.heardMs = connection.state.options.clock.monotonicMs();
}

function receive(connection: Connection, data: RawData, isBinary: boolean): void {
  const { client } = connection;
  hear(connection);
  if (client.readyState !== client.OPEN) return;
  if (isExpired(connection)) return expire(connection);
  if (!isBinary) return end(connection, CLOSE.invalid, 'text');
  const bytes = data as Buffer;
  keepRate(connection, bytes.length);
  try {
    const message = decodeMessage(bytes);
    checkBounds(message);
    handle(connection, message, bytes);
  } catch (error) {
    if (!(error instanceof EntrainError)) throw error;
    connection.state.options.log.warn({ err: error, agent: connection.claims.agent }, 'frame refused');
    send(client, { type: 'bye', reason: error.message.slice(0, 256) });
    end(connection, error.code === 'ROLE_MISSING' ? CLOSE.forbidden : CLOSE.invalid, error.code);
  }
}

function handle(connection: Connection, message: StreamMessage, bytes: Uint8Array): void {
  switch (message.type) {
    case 'hello':
      return queueGreeting(connection, message);
    case 'episode':
    case 'turn':
    case 'steps':
    case 'branch':
    case 'gap':
      return take(connection, message, bytes);
    case 'clock-reply':
      return connection.clock.replied(message);
    case 'bye':
      return connection.client.close(CLOSE_IN_ORDER);
    case 'opening':
    case 'welcome':
    case 'ack':
    case 'resend':
    case 'clock':
      end(connection, CLOSE.invalid, 'wrong_way');
  }
}

/** Hellos are answered one after the other, each by a welcome that names it. */
function queueGreeting(connection: Connection, hello: Hello): void {
  const { claims, state } = connection;
  if (hello.run !== claims.run || hello.stream !== claims.stream)
    return end(connection, CLOSE.forbidden, 'other_stream');
  connection.pendingHellos += 1;
  if (!isOpen(state, hello)) send(connection.client, { type: 'opening', hello: hello.id ?? 0 });
  connection.answered = connection.answered
    .then(() => greet(connection, hello))
    .catch((error: unknown) => {
      state.options.log.error({ err: error }, 'a stream could not be opened');
      end(connection, CLOSE.invalid, 'not_opened');
    });
}

async function greet(connection: Connection, hello: Hello): Promise<void> {
  const { state } = connection;
  const incoming = await incomingStreamOf(state, hello, connection.claims.agent);
  const holder = holderOf(connection);
  if (incoming.holder && incoming.holder !== holder) {
    state.options.log.info(incoming.place, 'another connection takes the stream over');
    incoming.holder.replace();
  }
  incoming.holder = holder;
  incoming.welcomed = false;
  // Frames of an earlier connection may still be on their way to the disk. Only after them is the durable
  // number known.
  while (incoming.committing) await incoming.idle;
  if (incoming.holder !== holder || connection.client.readyState !== connection.client.OPEN) return;
  const durableSeq = incoming.sink.durableSeq(hello.epoch);
  incoming.intake.greet(hello.epoch, durableSeq);
  incoming.figures.epoch = hello.epoch;
  incoming.figures.connected = true;
  incoming.figures.done = false;
  const lastEpoch = incoming.sink.lastEpoch();
  const first = !connection.incoming;
  connection.incoming = incoming;
  connection.pendingHellos -= 1;
  send(connection.client, {
    type: 'welcome',
    hello: hello.id ?? 0,
    lastEpoch,
    durableSeq,
    credits: state.limits.creditBytes,
  });
  incoming.welcomed = true;
  if (!first) return;
  state.options.log.info({ ...incoming.place, durableSeq }, 'stream connected');
  connection.clock.start();
}

function take(connection: Connection, message: DataMessage, bytes: Uint8Array): void {
  const { incoming, state } = connection;
  if (!incoming || connection.pendingHellos > 0) return end(connection, CLOSE.invalid, 'no_welcome');
  if (incoming.holder !== holderOf(connection)) return;
  const atMs = connection.heardMs;
  const { verdict, resend } = incoming.intake.offer(message, atMs);
  if (verdict === 'duplicate') {
    incoming.figures.duplicateFrames += 1;
    // A sender that repeats a frame has missed an acknowledgement.
    holderOf(connection).acknowledge(incoming.sink.durableSeq(incoming.intake.epoch()));
  }
  if (resend) {
    incoming.figures.resends += 1;
    send(connection.client, resend);
  }
  if (verdict !== 'accept') return;
  state.options.admit?.(message, connection.claims);
  const most = state.limits.creditBytes + state.limits.maxMessageBytes;
  if (incoming.waitingBytes + bytes.length > most) return end(connection, CLOSE.credits, 'credits');
  const { onRecorded, clock, log } = state.options;
  acceptFrame(
    incoming,
    { onRecorded, log, nowMs: () => clock.monotonicMs() },
    { seq: message.seq, bytes, crc: crcOfMessage(bytes, message), message, atMs },
  );
}

/** An epoch is no older than its stream's recording, but for the time it may have waited for an analyzer. */
function oldestEpochNs({ incoming, state }: Connection): number {
  const nowMs = state.options.clock.nowMs();
  const recordedMs = Math.max(0, nowMs - (incoming?.sink.firstMeasuredMs?.() ?? nowMs));
  return (recordedMs + LONGEST_WAIT_MS) * 1e6;
}

function noteClock(connection: Connection, estimate: ClockEstimate): void {
  const { incoming } = connection;
  if (!incoming) return;
  incoming.figures.clock = estimate;
  incoming.sink.note(JSON.stringify({ epoch: incoming.intake.epoch(), ...estimate }));
}

function send(client: WebSocket, message: StreamMessage): void {
  if (client.readyState === client.OPEN) client.send(encodeMessage(message));
}

function end(connection: Connection, code: number, cause: RefusalCause): void {
  countRefused(connection.state, cause);
  connection.client.close(code, cause in REFUSALS ? REFUSALS[cause as keyof typeof REFUSALS] : cause);
}
