/**
 * What the analyzer keeps of one stream, over all its connections: what is recorded, what waits to be, and the figures.
 *
 *   frame ─▶ intake ─▶ waiting ─▶ recording (written and synced) ─▶ ack and onRecorded
 */
import type { DataMessage } from '../../protocol/stream/frames.ts';
import type { Logger } from '../../process/log.ts';
import { createIntake, type Intake } from './intake.ts';
import type { ClockEstimate } from './clock.ts';

/** What the server needs of a stream's recording. */
export interface RecordSink {
  lastEpoch(): number;
  durableSeq(epoch: number): number;
  /** Settles when the batch is synced. */
  append(epoch: number, batch: { seq: number; bytes: Uint8Array; crc: number }[]): Promise<void>;
  /** A line beside the raw stamps. */
  note(line: string): void;
}

export interface StreamPlace {
  run: string;
  stream: string;
}

export interface RecordedAt extends StreamPlace {
  epoch: number;
  /** When the frame came, on the monotonic clock. */
  arrivedMs: number;
}

export interface StreamFigures extends StreamPlace {
  connected: boolean;
  /** Its last connection was ended by the sender itself, in order. */
  done: boolean;
  epoch: number;
  acceptedFrames: number;
  durableFrames: number;
  duplicateFrames: number;
  /** Frames that will never come, by reason. */
  gapFrames: Record<string, number>;
  resends: number;
  /** From the arrival of the oldest frame that is not durable yet, else of the last batch. */
  ackLagMs: number;
  clock: ClockEstimate | undefined;
}

export interface Waiting {
  seq: number;
  bytes: Uint8Array;
  /** CRC-32 of the bytes. */
  crc: number;
  message: DataMessage;
  atMs: number;
}

export interface Seat {
  place: StreamPlace;
  sink: RecordSink;
  intake: Intake;
  waiting: Waiting[];
  waitingBytes: number;
  figures: StreamFigures;
  /** Settles when nothing waits any more. */
  idle: Promise<void>;
  /** The connection that holds the seat. */
  holder: { acknowledge(durableSeq: number): void; replace(): void } | undefined;
  committing: boolean;
}

export interface SeatOptions {
  onRecorded(message: DataMessage, at: RecordedAt): void;
  nowMs(): number;
  log: Logger;
}

export function createSeat(place: StreamPlace, sink: RecordSink): Seat {
  const figures: StreamFigures = {
    ...place,
    connected: false,
    done: false,
    epoch: 0,
    acceptedFrames: 0,
    durableFrames: 0,
    duplicateFrames: 0,
    gapFrames: {},
    resends: 0,
    ackLagMs: 0,
    clock: undefined,
  };
  return {
    place,
    sink,
    intake: createIntake(),
    waiting: [],
    waitingBytes: 0,
    figures,
    idle: Promise.resolve(),
    holder: undefined,
    committing: false,
  };
}

export function acceptFrame(seat: Seat, options: SeatOptions, frame: Waiting): void {
  seat.waiting.push(frame);
  seat.waitingBytes += frame.bytes.length;
  seat.figures.acceptedFrames += 1;
  if (frame.message.type === 'gap') countGap(seat, frame.message);
  if (!seat.committing) seat.idle = commit(seat, options);
}

function countGap(seat: Seat, gap: { from: number; to: number; reason: string }): void {
  // A sender could invent reasons without end, and each would be a series of its own.
  const reason = gap.reason === 'trimmed' || gap.reason === 'damaged' ? gap.reason : 'other';
  seat.figures.gapFrames[reason] = (seat.figures.gapFrames[reason] ?? 0) + gap.to - gap.from + 1;
}

/** Group commit: whatever came while the last batch was synced is the next batch. */
async function commit(seat: Seat, options: SeatOptions): Promise<void> {
  seat.committing = true;
  try {
    await Promise.resolve(); // frames of the same turn of the event loop go together
    while (seat.waiting.length > 0) await commitBatch(seat, options);
  } catch (error) {
    options.log.error({ err: error, stream: seat.place.stream }, 'recording was closed with frames waiting');
    seat.waiting = [];
    seat.waitingBytes = 0;
  } finally {
    seat.committing = false;
  }
}

async function commitBatch(seat: Seat, options: SeatOptions): Promise<void> {
  const epoch = seat.intake.epoch();
  const batch = seat.waiting;
  seat.waiting = [];
  const oldestMs = batch[0]?.atMs ?? options.nowMs();
  await seat.sink.append(epoch, batch);
  seat.waitingBytes -= batch.reduce((sum, { bytes }) => sum + bytes.length, 0);
  seat.figures.durableFrames += batch.length;
  seat.figures.ackLagMs = options.nowMs() - oldestMs;
  seat.holder?.acknowledge(batch.at(-1)?.seq ?? -1);
  for (const frame of batch) handOn(seat, options, { frame, epoch });
}

/** What is made of a frame later is no reason to stop recording. */
function handOn(seat: Seat, options: SeatOptions, part: { frame: Waiting; epoch: number }): void {
  const { run, stream } = seat.place;
  const { message, atMs } = part.frame;
  try {
    // Named one by one: to spread an object costs microseconds, and this is done for each frame.
    options.onRecorded(message, { run, stream, epoch: part.epoch, arrivedMs: atMs });
  } catch (error) {
    options.log.error({ err: error }, 'a recorded frame could not be handed on');
  }
}
