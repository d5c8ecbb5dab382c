/**
 * Reads a run's recording, stream by stream, in the order in which it was sent. Damaged stretches are reported
 * and skipped.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeMessage } from '../protocol/stream/codec.ts';
import { EntrainError } from '../protocol/errors.ts';
import type { DataMessage } from '../protocol/stream/frames.ts';
import { STREAMS_FOLDER } from './run-recording.ts';
import { scanSegment, segmentNames, type SegmentScan } from './segment-format.ts';

export interface RecordedMessage {
  stream: string;
  epoch: number;
  message: DataMessage;
  /** Where the message is: segment file (relative to the run's folder), offset and length in bytes. */
  at: { file: string; offset: number; length: number };
}

export interface SegmentReport {
  stream: string;
  epoch: number;
  firstSeq: number;
  /** Segment file, relative to the run's folder. */
  file: string;
  bytes: number;
  scan: SegmentScan;
  /** Whether it is the last segment of its epoch, which may be open and end in a torn record. */
  last: boolean;
}

export interface ReadOptions {
  /** Read only this stream. */
  stream?: string;
  onSegment?(report: SegmentReport): void;
}

export async function* readRecording(
  folder: string,
  options: ReadOptions = {},
): AsyncGenerator<RecordedMessage> {
  for (const stream of await streamsOf(folder)) {
    if (options.stream !== undefined && options.stream !== stream) continue;
    const segments = segmentNames(await readdir(join(folder, STREAMS_FOLDER, stream)));
    for (const [i, segment] of segments.entries()) {
      const file = join(STREAMS_FOLDER, stream, segment.file);
      const bytes = await readFile(join(folder, file));
      const scan = scanSegment(bytes);
      const last = segments[i + 1]?.epoch !== segment.epoch;
      options.onSegment?.({ ...segment, stream, file, bytes: bytes.length, scan, last });
      for (const { offset, length } of scan.records) {
        const at = { file, offset, length };
        yield { stream, epoch: segment.epoch, message: decodeRecord(bytes, at), at };
      }
    }
  }
}

/**
 * Decodes a record. Its checksum holds, so it was valid when written; if it does not decode, another program or
 * version wrote it.
 */
function decodeRecord(bytes: Uint8Array, at: RecordedMessage['at']): DataMessage {
  try {
    return decodeMessage(bytes.subarray(at.offset, at.offset + at.length)) as DataMessage;
  } catch (cause) {
    throw new EntrainError(
      'JOURNAL_CORRUPT',
      `The record at byte ${at.offset} of ${at.file} is whole but no frame of this protocol; expected a recording by this version of entrain.`,
      { cause },
    );
  }
}

/** Names of the streams in a recording; empty if there is no recording. */
export async function streamsOf(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(join(folder, STREAMS_FOLDER), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
