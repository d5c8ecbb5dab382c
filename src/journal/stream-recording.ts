/**
 * The recording of one stream, with group commit: a batch is written and synced, then reported; frames that
 * arrive meanwhile form the next batch. With a full or failing disk a batch waits until it can be written, and
 * is not acknowledged before.
 */
import { createHash, type Hash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeSeal } from '../protocol/stream/seal.ts';
import type { Logger } from '../process/log.ts';
import type { Disk, DiskFile } from './disk.ts';
import { recoverSegments } from './recover-segments.ts';
import { HEADER_BYTES, recordHeader, recordHeaders, segmentFile } from './segment-format.ts';

export interface RecordedBytes {
  seq: number;
  bytes: Uint8Array;
  /** CRC-32 of the bytes, if known. */
  crc?: number;
}

export interface StreamRecording {
  /** The largest epoch of this stream; 0 if there is none. */
  lastEpoch(): number;
  /** The last durable sequence number of an epoch; −1 if there is none. */
  durableSeq(epoch: number): number;
  /**
   * Settles when the whole batch is on disk, however long that takes; rejects only after `close`. Not
   * reentrant.
   */
  append(epoch: number, batch: RecordedBytes[]): Promise<void>;
  /** Appends a line of clock measurements beside the recording. */
  note(line: string): void;
  /** When the first of these was measured (`wallMs`), milliseconds since 1970; undefined before there is one. */
  firstMeasuredMs(): number | undefined;
  /**
   * Seals the open segment and closes its file; a later frame begins a new one. Not allowed while a batch is
   * being appended.
   */
  seal(): Promise<void>;
  /** Seals the open segment, and gives up a batch that waits for the disk. */
  close(): Promise<void>;
}

export interface StreamRecordingOptions {
  disk: Disk;
  folder: string;
  segmentBytes: number;
  log: Logger;
  /** Counts the bytes against the budget of the run. Throws if it is used up. */
  reserve(bytes: number): void;
  /** Called when the disk stops or starts taking data, with the reason or undefined. */
  onFault(fault: string | undefined): void;
}

/** The open segment. `size`, `count` and `hash` describe what has been synced. */
interface Open {
  epoch: number;
  sealed: boolean;
  file: DiskFile;
  size: number;
  count: number;
  hash: Hash;
}

const RETRY_MS = 250;
const CLOCK_FILE = 'clock.jsonl';

export async function openStreamRecording(options: StreamRecordingOptions): Promise<StreamRecording> {
  const { disk, folder, log } = options;
  disk.makeFolder(folder);
  const durable = await recoverSegments({ disk, folder, log });
  let open: Open | undefined;
  let closing = false;
  const notes = openNotes(options);
  const write = async (epoch: number, batch: RecordedBytes[]): Promise<void> => {
    const name = { epoch, firstSeq: batch[0]?.seq ?? 0 };
    if (!open) open = await startSegment(options, name);
    else if (open.epoch !== epoch || open.size >= options.segmentBytes)
      open = await nextSegment(options, open, name);
    await writeBatch(open, batch);
    durable.set(epoch, batch.at(-1)?.seq ?? -1);
  };
  const sealOpen = async (): Promise<void> => {
    if (!open) return;
    const last = open;
    open = undefined;
    await seal(last).catch((error: unknown) => log.warn({ err: error }, 'last segment was not sealed'));
  };
  return {
    lastEpoch: () => Math.max(0, ...durable.keys()),
    durableSeq: (epoch) => durable.get(epoch) ?? -1,
    append: async (epoch, batch) => {
      if (batch.length === 0) return;
      await persist(options, {
        bytes: batch.reduce((sum, { bytes }) => sum + bytes.length, 0),
        write: () => write(epoch, batch),
        given: () => closing,
      });
    },
    ...notes,
    seal: sealOpen,
    close: async () => {
      closing = true;
      await sealOpen();
    },
  };
}

/** Tries again until the disk takes the batch. */
async function persist(
  options: StreamRecordingOptions,
  job: { bytes: number; write: () => Promise<void>; given: () => boolean },
): Promise<void> {
  let reserved = false;
  for (let failed = false; ; failed = true) {
    try {
      if (!reserved) options.reserve(job.bytes);
      reserved = true;
      await job.write();
      if (failed) options.onFault(undefined);
      return;
    } catch (error) {
      if (job.given()) throw error;
      if (!failed) options.log.error({ err: error }, 'recording cannot write; waiting for room');
      options.onFault((error as Error).message);
      await delay(RETRY_MS);
    }
  }
}

async function startSegment(
  options: StreamRecordingOptions,
  name: { epoch: number; firstSeq: number },
): Promise<Open> {
  const file = options.disk.open(join(options.folder, segmentFile(name)));
  try {
    await options.disk.syncFolder(options.folder);
    // Left over from a start that failed half-way; nothing in it was acknowledged.
    if (file.size() > 0) file.truncate(0);
    return { epoch: name.epoch, sealed: false, file, size: 0, count: 0, hash: createHash('sha256') };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function writeBatch(open: Open, batch: RecordedBytes[]): Promise<void> {
  const headers = recordHeaders(batch);
  const parts: Uint8Array[] = [];
  batch.forEach(({ bytes }, i) =>
    parts.push(headers.subarray(i * HEADER_BYTES, (i + 1) * HEADER_BYTES), bytes),
  );
  await appendSynced(open, parts);
  open.count += batch.length;
  open.hash.update(headers);
}

/**
 * Writes and syncs. After an error the file is truncated to what was synced, so a second attempt writes nothing
 * twice.
 */
async function appendSynced(open: Open, parts: Uint8Array[]): Promise<void> {
  try {
    await open.file.write(parts);
    await open.file.sync();
  } catch (error) {
    open.file.truncate(open.size);
    throw error;
  }
  open.size = open.file.size();
}

/** Seals one segment while the next one is created, so that both syncs run at once. */
async function nextSegment(
  options: StreamRecordingOptions,
  full: Open,
  name: { epoch: number; firstSeq: number },
): Promise<Open> {
  const [sealed, started] = await Promise.allSettled([seal(full), startSegment(options, name)]);
  if (sealed.status === 'fulfilled' && started.status === 'fulfilled') return started.value;
  if (started.status === 'fulfilled') started.value.file.close();
  throw sealed.status === 'rejected' ? sealed.reason : (started as PromiseRejectedResult).reason;
}

/** May be called again if the start of the next segment failed. */
async function seal(open: Open): Promise<void> {
  if (open.sealed) return;
  const message = encodeSeal({ count: open.count, sha256: open.hash.copy().digest() });
  await appendSynced(open, [recordHeader(message), message]);
  open.sealed = true;
  open.file.close();
}

function openNotes(options: StreamRecordingOptions): Pick<StreamRecording, 'note' | 'firstMeasuredMs'> {
  let firstMs = firstNoteMs(options);
  return {
    note: (line) => {
      firstMs ??= measuredMs(line);
      appendNote(options, line);
    },
    firstMeasuredMs: () => firstMs,
  };
}

/** Clock lines are only a help; one that cannot be written is left out. */
function appendNote(options: StreamRecordingOptions, line: string): void {
  try {
    const file = options.disk.open(join(options.folder, CLOCK_FILE));
    try {
      file.append([Buffer.from(`${line}\n`)]);
    } finally {
      file.close();
    }
  } catch (error) {
    options.log.debug({ err: error }, 'clock line not written');
  }
}

/** Of the clock lines of an earlier life. */
function firstNoteMs({ disk, folder }: StreamRecordingOptions): number | undefined {
  if (!disk.list(folder).includes(CLOCK_FILE)) return undefined;
  const [line = ''] = Buffer.from(disk.read(join(folder, CLOCK_FILE)))
    .toString('latin1')
    .split('\n', 1);
  return measuredMs(line);
}

function measuredMs(line: string): number | undefined {
  const [, digits] = /"wallMs":(\d+)/.exec(line) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
