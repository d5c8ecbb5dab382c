/**
 * Connects the outbox state machine to the spool and the socket: carries out its commands and wakes whoever
 * waits for a change.
 */
import { decodeMessage, encodeMessage } from '../../../protocol/stream/codec.ts';
import type { Hello, StreamMessage, Welcome } from '../../../protocol/stream/frames.ts';
import type { LentMessage } from '../../../protocol/stream/message-buffer.ts';
import { PROTOCOL_VERSION } from '../../../protocol/version.ts';
import { createOutbox, type Outbox, type OutboxCommand } from './outbox.ts';
import type { StreamSenderOptions } from './ports.ts';
import { connectStreamSocket, type StreamSocket } from './socket.ts';
import { createWatchers, type Watchers } from './watchers.ts';

export interface SessionStatus {
  ackedSeq: number;
  connected: boolean;
  ackLagMs: number;
  sentFrames: number;
  gapFrames: number;
  connections: number;
  /** Why the analyzer ended the last session, until it acknowledges something again. */
  refusal: string | undefined;
}

export interface StreamSession {
  /** The largest epoch that the analyzer knows; undefined if it did not answer in time. */
  analyzerEpoch(timeoutMs: number): Promise<number | undefined>;
  /** Starts to send frames; called when the sender's own epoch is in the spool. */
  begin(epochStartNs: bigint): void;
  /** Sends a frame that is in the spool; its message is given back when it is no longer needed. */
  appended(seq: number, message: LentMessage): void;
  until: Watchers['until'];
  isDrained(epoch: number, lastSeq: number): boolean;
  /** Whether the analyzer takes frames, or is opening the recording to take them. */
  isMet(): boolean;
  status(): SessionStatus;
  /** Ends the connection; the next one goes where the address is now. */
  reconnect(): void;
  close(): Promise<void>;
}

interface State {
  options: StreamSenderOptions;
  outbox: Outbox;
  socket: StreamSocket;
  /**
   * False until the sender's own epoch is known; until then the analyzer is only asked for the epochs it knows.
   */
  begun: boolean;
  open: boolean;
  /** Whether the analyzer said that it is opening the stream. */
  opening: boolean;
  lastEpoch: number | undefined;
  epochStartNs: bigint;
  /** The frame that is being appended; it need not be read back from the spool. */
  fresh: { seq: number; message: LentMessage } | undefined;
  sentFrames: number;
  gapFrames: number;
  /** The frame whose time to its acknowledgement is being measured. */
  probe: { seq: number; atMs: number } | undefined;
  lagMs: number;
  refusal: string | undefined;
  watchers: Watchers;
}

export function createStreamSession(options: StreamSenderOptions): StreamSession {
  const state = openState(options);
  const { spool, clock } = options;
  spool.onStored(() => {
    carryOut(state, state.outbox.appended());
    state.watchers.tell();
  });
  return {
    analyzerEpoch: async (timeoutMs) => {
      await state.watchers.until(() => state.lastEpoch !== undefined, timeoutMs);
      return state.lastEpoch;
    },
    begin: (epochStartNs) => {
      state.begun = true;
      state.epochStartNs = epochStartNs;
      if (state.open) carryOut(state, state.outbox.connected());
    },
    appended: (seq, message) => {
      state.probe ??= { seq, atMs: clock.monotonicMs() };
      state.fresh = { seq, message };
      carryOut(state, state.outbox.appended());
      state.fresh?.message.giveBack();
      state.fresh = undefined;
    },
    until: state.watchers.until,
    isDrained: (epoch, lastSeq) => isDrained(state, epoch, lastSeq),
    isMet: () => state.opening || state.outbox.state().phase === 'flowing',
    status: () => statusOf(state),
    reconnect: () => state.socket.drop('the analyzer has another address'),
    close: () => state.socket.close(),
  };
}

function openState(options: StreamSenderOptions): State {
  const state: State = {
    options,
    outbox: createOutbox(options.spool),
    socket: undefined as unknown as StreamSocket,
    begun: false,
    open: false,
    opening: false,
    lastEpoch: undefined,
    epochStartNs: 0n,
    fresh: undefined,
    sentFrames: 0,
    gapFrames: 0,
    probe: undefined,
    lagMs: 0,
    refusal: undefined,
    watchers: createWatchers(),
  };
  state.socket = openSocket(state);
  return state;
}

function openSocket(state: State): StreamSocket {
  const { url, token, fingerprint, onFailing, log, clock, tls } = state.options;
  return connectStreamSocket({
    url,
    token,
    log,
    clock,
    ...(tls ? { tls } : {}),
    ...(fingerprint ? { fingerprint } : {}),
    ...(onFailing ? { onFailing } : {}),
    onOpen: () => {
      state.open = true;
      if (state.begun) carryOut(state, state.outbox.connected());
      else ask(state);
    },
    onMessage: (bytes) => receive(state, bytes),
    onClose: () => {
      state.open = false;
      state.opening = false;
      state.outbox.disconnected();
    },
  });
}

/** Sends a hello that offers no frames; the answer says which epochs the analyzer knows. */
function ask(state: State): void {
  carryOut(state, state.outbox.asking(state.options.spool.lastEpoch() + 1));
}

function sayHello(state: State, held: Pick<Hello, 'epoch' | 'firstSeq' | 'lastSeq'> & { id: number }): void {
  const { run, stream } = state.options;
  const version: [number, number] = [PROTOCOL_VERSION.major, PROTOCOL_VERSION.minor];
  const { id, epoch, firstSeq, lastSeq } = held;
  send(state, { type: 'hello', version, id, run, stream, epoch, firstSeq, lastSeq });
}

function receive(state: State, bytes: Uint8Array): void {
  const receivedNs = state.options.clock.monotonicNs();
  let message: StreamMessage;
  try {
    message = decodeMessage(bytes);
  } catch (error) {
    state.options.log.warn({ err: error }, 'message from the analyzer refused');
    state.socket.drop('message refused');
    return;
  }
  handle(state, message, receivedNs);
  state.watchers.tell();
}

function handle(state: State, message: StreamMessage, receivedNs: bigint): void {
  switch (message.type) {
    case 'opening':
      state.opening = true;
      return state.socket.heard();
    case 'welcome':
      return welcomed(state, message);
    case 'ack':
      state.refusal = undefined;
      state.socket.heard();
      carryOut(state, state.outbox.acknowledged(message));
      return measureLag(state);
    case 'resend':
      return carryOut(state, state.outbox.resent(message));
    case 'clock':
      return send(state, {
        type: 'clock-reply',
        id: message.id,
        sentNs: message.sentNs,
        receivedNs: receivedNs - state.epochStartNs,
        repliedNs: state.options.clock.monotonicNs() - state.epochStartNs,
      });
    case 'bye':
      state.refusal = message.reason;
      return state.options.log.warn({ reason: message.reason }, 'the analyzer ended the session');
    case 'hello':
    case 'gap':
    case 'episode':
    case 'turn':
    case 'steps':
    case 'branch':
    case 'clock-reply':
      state.socket.drop('a message that only senders send');
  }
}

function welcomed(state: State, message: Welcome): void {
  state.lastEpoch = message.lastEpoch;
  state.socket.settled();
  if (state.begun) carryOut(state, state.outbox.welcomed(message));
  measureLag(state);
}

function carryOut(state: State, commands: OutboxCommand[]): void {
  for (const command of commands) carryOutOne(state, command);
}

function carryOutOne(state: State, command: OutboxCommand): void {
  const { spool, log } = state.options;
  switch (command.do) {
    case 'hello':
      return sayHello(state, command);
    case 'frame':
      return sendFrame(state, command);
    case 'gap': {
      const { from, to, reason } = command;
      log.error({ from, to, reason }, 'frames cannot be had any more; sending a gap record');
      state.gapFrames += to - from + 1;
      return send(state, { type: 'gap', seq: to, from, to, reason });
    }
    case 'trim':
      return spool.trim(command.epoch, command.seq);
    case 'conflict':
      log.error(command, 'the analyzer knows frames of this epoch that this agent never sent');
      return state.socket.drop('epoch conflict');
  }
}

function sendFrame(state: State, { epoch, seq }: { epoch: number; seq: number }): void {
  const { socket, options } = state;
  const { spool } = options;
  if (state.fresh?.seq === seq && epoch === spool.lastEpoch()) {
    const { bytes, giveBack } = state.fresh.message;
    state.fresh = undefined;
    socket.send(bytes, giveBack);
  } else {
    const bytes = spool.read(epoch, seq);
    if (!bytes) return socket.drop('a frame could not be read from the spool');
    socket.send(bytes);
  }
  state.sentFrames += 1;
}

function send(state: State, message: StreamMessage): void {
  state.socket.send(encodeMessage(message));
}

function measureLag(state: State): void {
  const { epoch, acked } = state.outbox.state();
  if (!state.probe || epoch !== state.options.spool.lastEpoch() || acked < state.probe.seq) return;
  state.lagMs = state.options.clock.monotonicMs() - state.probe.atMs;
  state.probe = undefined;
}

function isDrained(state: State, epoch: number, lastSeq: number): boolean {
  const outbox = state.outbox.state();
  const old = state.options.spool.epochs().some((one) => one.epoch !== epoch);
  return !old && (lastSeq < 0 || (outbox.epoch === epoch && outbox.acked >= lastSeq));
}

function statusOf(state: State): SessionStatus {
  const { phase, epoch, acked } = state.outbox.state();
  const waitedMs = state.probe ? state.options.clock.monotonicMs() - state.probe.atMs : 0;
  return {
    ackedSeq: epoch === state.options.spool.lastEpoch() ? acked : -1,
    connected: phase === 'flowing',
    ackLagMs: Math.max(waitedMs, state.lagMs),
    sentFrames: state.sentFrames,
    gapFrames: state.gapFrames,
    connections: state.socket.connections(),
    refusal: state.refusal,
  };
}
