/**
 * What the analyzer keeps of one stream over all its connections: the recording, frames that wait to be
 * recorded, and counters.
 *
 *   frame ─▶ intake ─▶ waiting ─▶ recording (written and synced) ─▶ ack and onRecorded
 */
import type { DataMessage } from '../../../protocol/stream/frames.ts';
import type { Logger } from '../../../process/log.ts';
import { createIntake, type Intake } from './intake.ts';
import type { ClockEstimate } from './clock-offset.ts';

/** What the server needs of a stream's recording. */
export interface RecordSink {
  lastEpoch(): number;
  durableSeq(epoch: number): number;
  /** Settles when the batch is synced to disk. */
  append(epoch: number, batch: { seq: number; bytes: Uint8Array; crc: number }[]): Promise<void>;
  /** Writes a line of clock measurements beside the recording. */
  note(line: string): void;
  /** When the first such line was measured, milliseconds since 1970; undefined before that. */
  firstMeasuredMs?(): number | undefined;
}

export interface StreamPlace {
  run: string;
  stream: string;
}

export interface RecordedAt extends StreamPlace {
  epoch: number;
  /** When the frame arrived, milliseconds on the monotonic clock. */
  arrivedMs: number;
}

export interface StreamFigures extends StreamPlace {
  connected: boolean;
  /** Whether the sender itself ended its last connection in order. */
  done: boolean;
  epoch: number;
  acceptedFrames: number;
  durableFrames: number;
  duplicateFrames: number;
  /** Number of frames that will never come, by reason. */
  gapFrames: Record<string, number>;
  resends: number;
  /**
   * Milliseconds since the oldest frame that is not yet durable arrived; without one, the time that the last
   * batch took.
   */
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

export interface IncomingStream {
  place: StreamPlace;
  sink: RecordSink;
  intake: Intake;
  waiting: Waiting[];
  waitingBytes: number;
  figures: StreamFigures;
  /** Settles when no frame waits. */
  idle: Promise<void>;
  /** The connection that holds the stream. */
  holder: { acknowledge(durableSeq: number): void; replace(): void } | undefined;
  /** Whether the holder was welcomed. Before, it would take what is recorded of an earlier epoch for its own. */
  welcomed: boolean;
  committing: boolean;
}

export interface AcceptOptions {
  onRecorded(message: DataMessage, at: RecordedAt): void;
  nowMs(): number;
  log: Logger;
}

export function createIncomingStream(place: StreamPlace, sink: RecordSink): IncomingStream {
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
    welcomed: false,
    committing: false,
  };
}

export function acceptFrame(incoming: IncomingStream, options: AcceptOptions, frame: Waiting): void {
  incoming.waiting.push(frame);
  incoming.waitingBytes += frame.bytes.length;
  incoming.figures.acceptedFrames += 1;
  if (frame.message.type === 'gap') countGap(incoming, frame.message);
  if (!incoming.committing) incoming.idle = commit(incoming, options);
}

function countGap(incoming: IncomingStream, gap: { from: number; to: number; reason: string }): void {
  // A sender could invent any number of reasons, and each would be a series of its own on /metrics.
  const reason = gap.reason === 'trimmed' || gap.reason === 'damaged' ? gap.reason : 'other';
  incoming.figures.gapFrames[reason] = (incoming.figures.gapFrames[reason] ?? 0) + gap.to - gap.from + 1;
}

/** Group commit: frames that came while a batch was being synced form the next batch. */
async function commit(incoming: IncomingStream, options: AcceptOptions): Promise<void> {
  incoming.committing = true;
  try {
    await Promise.resolve(); // frames of the same turn of the event loop go together
    while (incoming.waiting.length > 0) await commitBatch(incoming, options);
  } catch (error) {
    options.log.error(
      { err: error, stream: incoming.place.stream },
      'recording was closed with frames waiting',
    );
    incoming.waiting = [];
    incoming.waitingBytes = 0;
  } finally {
    incoming.committing = false;
  }
}

async function commitBatch(incoming: IncomingStream, options: AcceptOptions): Promise<void> {
  const epoch = incoming.intake.epoch();
  const batch = incoming.waiting;
  incoming.waiting = [];
  const oldestMs = batch[0]?.atMs ?? options.nowMs();
  await incoming.sink.append(epoch, batch);
  incoming.waitingBytes -= batch.reduce((sum, { bytes }) => sum + bytes.length, 0);
  incoming.figures.durableFrames += batch.length;
  incoming.figures.ackLagMs = options.nowMs() - oldestMs;
  if (incoming.welcomed) incoming.holder?.acknowledge(batch.at(-1)?.seq ?? -1);
  for (const frame of batch) handOn(incoming, options, { frame, epoch });
}

/** A fault in what is made of a frame later must not stop the recording. */
function handOn(
  incoming: IncomingStream,
  options: AcceptOptions,
  part: { frame: Waiting; epoch: number },
): void {
  const { run, stream } = incoming.place;
  const { message, atMs } = part.frame;
  try {
    // The fields are named one by one: spreading an object costs microseconds, and this runs for each frame.
    options.onRecorded(message, { run, stream, epoch: part.epoch, arrivedMs: atMs });
  } catch (error) {
    options.log.error({ err: error }, 'a recorded frame could not be handed on');
  }
}
