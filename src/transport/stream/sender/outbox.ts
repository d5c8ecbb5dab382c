/**
 * The sender's state machine of a session: an event goes in, commands come out. It does no input or output and
 * has no timers.
 *
 *   offline ──connected──▶ greeting ──welcome──▶ flowing ──old epoch drained──▶ greeting (next epoch)
 *
 * A welcome may come late, after the next hello was sent; it counts only as the answer to the last hello.
 */
import type { Ack, Resend, Welcome } from '../../../protocol/stream/frames.ts';

/** Frames of one epoch that the spool still has. */
export interface HeldEpoch {
  epoch: number;
  firstSeq: number;
  /** `firstSeq` − 1 if the spool has none. */
  lastSeq: number;
  /** From here on none was trimmed; absent: from `firstSeq` on. */
  wholeFrom?: number;
}

/** What the state machine reads from the spool. */
export interface Held {
  /** Epochs with frames and the current epoch, in ascending order. */
  epochs(): HeldEpoch[];
  /** Size of a frame in bytes; 0 if it can no longer be read. */
  sizeOf(epoch: number, seq: number): number;
}

/**
 * `trim`: remove frames up to `seq` from the spool. `conflict`: the analyzer has frames of this epoch that were
 * never sent.
 */
export type OutboxCommand =
  | { do: 'hello'; id: number; epoch: number; firstSeq: number; lastSeq: number }
  | { do: 'frame'; epoch: number; seq: number }
  | { do: 'gap'; from: number; to: number; reason: string }
  | { do: 'trim'; epoch: number; seq: number }
  | { do: 'conflict'; epoch: number; durableSeq: number };

export interface Outbox {
  /** Sends a hello that offers no frames; the answer says which epochs the analyzer knows. */
  asking(epoch: number): OutboxCommand[];
  connected(): OutboxCommand[];
  disconnected(): void;
  welcomed(message: Welcome): OutboxCommand[];
  acknowledged(message: Ack): OutboxCommand[];
  resent(message: Resend): OutboxCommand[];
  /** Frames were added to the spool. */
  appended(): OutboxCommand[];
  state(): { phase: Phase; hello: number; epoch: number; acked: number; inFlightBytes: number };
}

type Phase = 'offline' | 'greeting' | 'flowing';

interface State {
  phase: Phase;
  /** Id of the last hello. */
  hello: number;
  epoch: number;
  /** `next`: number of the next frame to send. `acked`: number of the last acknowledged one. */
  next: number;
  acked: number;
  /** Frames sent and not acknowledged, oldest first. */
  inFlight: { seq: number; bytes: number }[];
  inFlightBytes: number;
  credits: number;
}

export function createOutbox(held: Held): Outbox {
  const state: State = {
    phase: 'offline',
    hello: 0,
    epoch: 0,
    next: 0,
    acked: -1,
    inFlight: [],
    inFlightBytes: 0,
    credits: 0,
  };
  return {
    asking: (epoch) => [sayHello(state, { epoch, firstSeq: 0, lastSeq: -1 })],
    connected: () => greet(state, held),
    disconnected: () => {
      state.phase = 'offline';
      rewind(state, state.acked + 1);
    },
    welcomed: (message) => welcomed(state, held, message),
    acknowledged: (message) => acknowledged(state, held, message),
    resent: (message) => {
      if (state.phase !== 'flowing' || message.from <= state.acked) return [];
      rewind(state, Math.min(message.from, state.next));
      return pump(state, held);
    },
    appended: () => pump(state, held),
    state: () => ({
      phase: state.phase,
      hello: state.hello,
      epoch: state.epoch,
      acked: state.acked,
      inFlightBytes: state.inFlightBytes,
    }),
  };
}

/** Sends a hello for the oldest epoch in the spool: old epochs are drained first. */
function greet(state: State, held: Held): OutboxCommand[] {
  const oldest = held.epochs()[0];
  if (!oldest) return [];
  state.phase = 'greeting';
  state.epoch = oldest.epoch;
  state.acked = -1;
  rewind(state, 0);
  return [sayHello(state, oldest)];
}

function sayHello(state: State, { epoch, firstSeq, lastSeq }: HeldEpoch): OutboxCommand {
  state.hello += 1;
  return { do: 'hello', id: state.hello, epoch, firstSeq, lastSeq };
}

function welcomed(state: State, held: Held, message: Welcome): OutboxCommand[] {
  if (state.phase !== 'greeting' || message.hello !== state.hello) return [];
  state.phase = 'flowing';
  state.credits = message.credits;
  const { epoch } = state;
  const epochs = held.epochs();
  const current = epochs.at(-1);
  if (current?.epoch === epoch && message.durableSeq > current.lastSeq)
    return [{ do: 'conflict', epoch, durableSeq: message.durableSeq }];
  return progress(state, held, message.durableSeq);
}

function acknowledged(state: State, held: Held, message: Ack): OutboxCommand[] {
  if (state.phase !== 'flowing') return [];
  state.credits = message.credits;
  // An acknowledgement of a frame that was never sent would remove it from the spool.
  return progress(state, held, Math.min(message.durableSeq, state.next - 1));
}

function progress(state: State, held: Held, durableSeq: number): OutboxCommand[] {
  const { epoch } = state;
  if (durableSeq > state.acked) state.acked = durableSeq;
  while (state.inFlight[0] && state.inFlight[0].seq <= state.acked)
    state.inFlightBytes -= state.inFlight.shift()?.bytes ?? 0;
  if (state.next <= state.acked) state.next = state.acked + 1;
  const trim: OutboxCommand[] = state.acked >= 0 ? [{ do: 'trim', epoch, seq: state.acked }] : [];
  const epochs = held.epochs();
  const here = epochs.find((one) => one.epoch === epoch);
  const isCurrent = epochs.at(-1)?.epoch === epoch;
  if (isCurrent || (here && here.lastSeq > state.acked)) return [...trim, ...pump(state, held)];
  // The old epoch is drained and the spool drops it at the trim, so the next epoch is looked up without it.
  const rest: Held = { ...held, epochs: () => held.epochs().filter((one) => one.epoch > epoch) };
  return [...trim, ...greet(state, rest)];
}

function pump(state: State, held: Held): OutboxCommand[] {
  if (state.phase !== 'flowing') return [];
  const here = held.epochs().find((one) => one.epoch === state.epoch);
  if (!here) return [];
  const commands: OutboxCommand[] = [];
  while (state.next <= here.lastSeq) {
    const missing = missingTo(state, held, here);
    if (missing !== undefined) {
      const reason = missing < (here.wholeFrom ?? here.firstSeq) ? 'trimmed' : 'damaged';
      commands.push({ do: 'gap', from: state.next, to: missing, reason });
      state.next = missing + 1;
      continue;
    }
    const bytes = held.sizeOf(state.epoch, state.next);
    // One frame may always be in flight, however small the credits.
    if (state.inFlightBytes > 0 && state.inFlightBytes + bytes > state.credits) break;
    commands.push({ do: 'frame', epoch: state.epoch, seq: state.next });
    state.inFlight.push({ seq: state.next, bytes });
    state.inFlightBytes += bytes;
    state.next += 1;
  }
  return commands;
}

/**
 * Number of the last frame of the unreadable ones that begin at `next`; undefined if the frame `next` can be
 * read.
 */
function missingTo(state: State, held: Held, here: HeldEpoch): number | undefined {
  if (state.next < here.firstSeq) return here.firstSeq - 1;
  let seq = state.next;
  while (seq <= here.lastSeq && held.sizeOf(state.epoch, seq) === 0) seq += 1;
  if (seq === state.next) return undefined;
  const { wholeFrom = 0 } = here;
  return state.next < wholeFrom ? Math.min(seq, wholeFrom) - 1 : seq - 1;
}

function rewind(state: State, next: number): void {
  state.next = next;
  state.inFlight = state.inFlight.filter(({ seq }) => seq < next);
  state.inFlightBytes = state.inFlight.reduce((sum, { bytes }) => sum + bytes, 0);
}
