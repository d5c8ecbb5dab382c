/**
 * The recording of a run, in `<run folder>/streams/<stream>/<epoch>-<seq>.seg`. Messages were checked on
 * arrival and are stored byte for byte as they came.
 */
import { join } from 'node:path';
import { EntrainError } from '../protocol/errors.ts';
import type { Logger } from '../process/log.ts';
import { realDisk, type Disk } from './disk.ts';
import { recoverSegments } from './recover-segments.ts';
import { segmentNames } from './segment-format.ts';
import { openStreamRecording, type StreamRecording } from './stream-recording.ts';

export interface RecordingOptions {
  /** The run's folder. */
  folder: string;
  log: Logger;
  disk?: Disk;
  segmentBytes?: number;
  /** Disk budget of the run in bytes. A frame that would exceed it waits without an acknowledgement. */
  maxBytes?: number;
  /** What one agent may take of it, over all its streams. */
  maxAgentBytes?: number;
}

export interface RecordingStatus {
  /** Bytes of messages: found on disk at the start, and recorded since. */
  bytes: number;
  maxBytes: number;
  /** Why nothing can be written at present; undefined if writing works. */
  fault: string | undefined;
}

export interface Recording {
  /**
   * The recording of one stream; opened and recovered at the first call.
   * @param agent whose share it counts in; by default the agent of the stream's name
   */
  stream(name: string, agent?: string): Promise<StreamRecording>;
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
  const { maxAgentBytes = Infinity } = options;
  const root = join(options.folder, STREAMS_FOLDER);
  disk.makeFolder(root);
  const streams = new Map<string, Promise<StreamRecording>>();
  const faults = new Map<string, string>();
  const budget = createBudget({ maxBytes, maxAgentBytes });
  for (const name of disk.list(root)) budget.found(name, recordedBytes(disk, join(root, name)));
  const open = (name: string, agent: string): Promise<StreamRecording> =>
    openStreamRecording({
      disk,
      folder: join(root, name),
      segmentBytes,
      log: log.child({ stream: name }),
      reserve: budget.of(name, agent),
      onFault: (fault) => void (fault === undefined ? faults.delete(name) : faults.set(name, fault)),
    });
  return Promise.resolve({
    stream: (name, agent = name) => {
      const opened = streams.get(name) ?? open(name, agent);
      streams.set(name, opened);
      opened.catch(() => streams.delete(name));
      return opened;
    },
    status: () => ({ bytes: budget.bytes(), maxBytes, fault: faults.values().next().value }),
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

/** Of the segments of one stream. */
function recordedBytes(disk: Disk, folder: string): number {
  let bytes = 0;
  for (const { file } of segmentNames(disk.list(folder))) {
    const open = disk.open(join(folder, file));
    bytes += open.size();
    open.close();
  }
  return bytes;
}

interface Budget {
  /** What stands on disk of a stream already. */
  found(stream: string, bytes: number): void;
  /** What counts the bytes of a stream for its agent. @throws EntrainError `JOURNAL_FULL` where it would be too many */
  of(stream: string, agent: string): (bytes: number) => void;
  bytes(): number;
}

/** Of a run as a whole, and of each agent, so that no one of them takes the room of the others. */
function createBudget({ maxBytes, maxAgentBytes }: { maxBytes: number; maxAgentBytes: number }): Budget {
  const agents = new Map<string, number>();
  const earlier = new Map<string, number>();
  let total = 0;
  const count = (agent: string, bytes: number): void =>
    void agents.set(agent, (agents.get(agent) ?? 0) + bytes);
  return {
    found: (stream, bytes) => {
      earlier.set(stream, bytes);
      total += bytes;
    },
    of: (stream, agent) => {
      count(agent, earlier.get(stream) ?? 0);
      earlier.delete(stream);
      return (bytes) => {
        if ((agents.get(agent) ?? 0) + bytes > maxAgentBytes)
          throw budgetUsed(`agent "${agent}"`, maxAgentBytes);
        if (total + bytes > maxBytes) throw budgetUsed('recording', maxBytes);
        count(agent, bytes);
        total += bytes;
      };
    },
    bytes: () => total,
  };
}

function budgetUsed(whose: string, maxBytes: number): EntrainError {
  return new EntrainError(
    'JOURNAL_FULL',
    `The ${whose} has used its budget of ${maxBytes} bytes; expected more room. Raise the budget (--max-run-gb, --max-agent-gb of the analyzer) or stream fewer layers.`,
  );
}
