/**
 * The recording of a run, in `<run folder>/streams/<stream>/<epoch>-<seq>.seg`. Messages were checked on
 * arrival and are stored byte for byte as they came.
 */
import { join } from 'node:path';
import { EntrainError } from '../protocol/errors.ts';
import type { Logger } from '../process/log.ts';
import { realDisk, type Disk } from './disk.ts';
import { recoverSegments } from './recover-segments.ts';
import { segmentNames } from './segment.ts';
import { openStreamRecording, type StreamRecording } from './stream-recording.ts';

export interface RecordingOptions {
  /** The run's folder. */
  folder: string;
  log: Logger;
  disk?: Disk;
  segmentBytes?: number;
  /** Disk budget of the run in bytes. A frame that would exceed it waits without an acknowledgement. */
  maxBytes?: number;
}

export interface RecordingStatus {
  /** Bytes of messages: found on disk at the start, and recorded since. */
  bytes: number;
  maxBytes: number;
  /** Why nothing can be written at present; undefined if writing works. */
  fault: string | undefined;
}

export interface Recording {
  /** The recording of one stream; opened and recovered at the first call. */
  stream(name: string): Promise<StreamRecording>;
  status(): RecordingStatus;
  /** Seals every open segment. A frame that comes later begins a new one. */
  seal(): Promise<void>;
  /** Seals every open segment and ends the recording. */
  close(): Promise<void>;
}

export const STREAMS_FOLDER = 'streams';
const SEGMENT_BYTES = 64 * 1024 * 1024;

export function openRecording(options: RecordingOptions): Promise<Recording> {
  const { log, disk = realDisk, segmentBytes = SEGMENT_BYTES, maxBytes = Infinity } = options;
  const root = join(options.folder, STREAMS_FOLDER);
  disk.makeFolder(root);
  const streams = new Map<string, Promise<StreamRecording>>();
  const faults = new Map<string, string>();
  let bytes = recordedBytes(disk, root);
  const reserve = (more: number): void => {
    if (bytes + more > maxBytes) throw budgetUsed(maxBytes);
    bytes += more;
  };
  const open = (name: string): Promise<StreamRecording> =>
    openStreamRecording({
      disk,
      folder: join(root, name),
      segmentBytes,
      log: log.child({ stream: name }),
      reserve,
      onFault: (fault) => void (fault === undefined ? faults.delete(name) : faults.set(name, fault)),
    });
  return Promise.resolve({
    stream: (name) => {
      const opened = streams.get(name) ?? open(name);
      streams.set(name, opened);
      opened.catch(() => streams.delete(name));
      return opened;
    },
    status: () => ({ bytes, maxBytes, fault: faults.values().next().value }),
    seal: async () => {
      await Promise.all([...streams.values()].map(async (stream) => (await stream).seal()));
    },
    close: async () => {
      await Promise.all([...streams.values()].map(async (stream) => (await stream).close()));
    },
  });
}

/**
 * Seals the segments that a killed program left open in a recording that no program writes. Damages stay for
 * `entrain verify` to report.
 */
export async function sealLeftOpen(of: { folder: string; log: Logger; disk?: Disk }): Promise<void> {
  const { log, disk = realDisk } = of;
  const root = join(of.folder, STREAMS_FOLDER);
  for (const stream of disk.list(root))
    await recoverSegments({ disk, folder: join(root, stream), log: log.child({ stream }) });
}

function recordedBytes(disk: Disk, root: string): number {
  let bytes = 0;
  for (const stream of disk.list(root)) {
    for (const { file } of segmentNames(disk.list(join(root, stream)))) {
      const open = disk.open(join(root, stream, file));
      bytes += open.size();
      open.close();
    }
  }
  return bytes;
}

function budgetUsed(maxBytes: number): EntrainError {
  return new EntrainError(
    'JOURNAL_FULL',
    `The recording has used its budget of ${maxBytes} bytes; expected more room. Raise the budget or stream fewer layers.`,
  );
}
