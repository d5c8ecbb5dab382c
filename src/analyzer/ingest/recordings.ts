/** The recordings of all runs that stream to this analyzer; each is opened when its first stream arrives. */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../process/make-folder.ts';
import type { Disk } from '../../protocol/nats-messages.ts';
import { isWithinBounds } from '../../protocol/stream/bounds.ts';
import type { Logger } from '../../process/log.ts';
import { openRecording, sealLeftOpen, type Recording } from '../../journal/run-recording.ts';
import { readRecording } from '../../journal/read-recording.ts';
import { isFinished } from '../../journal/retention.ts';
import type { RecordedFrame } from './durable-frame.ts';

export interface RecordingsOptions {
  runsFolder: string;
  maxRunBytes: number;
  /** Bytes that one agent may record of a run. */
  maxAgentBytes: number;
  log: Logger;
  /** Called for each frame that was recorded before this program started, when its run is opened. */
  onRecalled(frame: RecordedFrame): void | Promise<void>;
  /** Called after the frames of a run that had ended before. */
  onEnded(run: string): void;
}

export interface Recordings {
  of(run: string): Promise<Recording>;
  /** Why nothing can be written at present; undefined if writing works. */
  fault(): string | undefined;
  /**
   * Seals the open segments of a run, also those of an earlier life of the program. A later frame begins a new one.
   */
  seal(run: string): Promise<void>;
  /** Closes the recording of a run to which no stream writes; the next stream opens and reads it again. */
  forget(run: string): Promise<void>;
  close(): Promise<void>;
}

export function createRecordings(options: RecordingsOptions): Recordings {
  const runs = new Map<string, Promise<Recording>>();
  const ready = new Map<string, Recording>();
  const closing = createClosing();
  const open = async (run: string): Promise<Recording> => {
    const recording = await openRun(options, run);
    ready.set(run, recording);
    return recording;
  };
  const sealClosed = (run: string): Promise<void> => {
    const { runsFolder, log } = options;
    return closing.during(run, sealLeftOpen({ folder: join(runsFolder, run), log: log.child({ run }) }));
  };
  return {
    of: (run) => {
      const opened = runs.get(run) ?? Promise.resolve(closing.of(run)).then(() => open(run));
      runs.set(run, opened);
      opened.catch(() => runs.delete(run));
      return opened;
    },
    fault: () =>
      [...ready.values()].map((recording) => recording.status().fault).find((fault) => fault !== undefined),
    seal: async (run) => {
      const opened = runs.get(run);
      await (opened ? (await opened).seal() : (closing.of(run) ?? sealClosed(run)));
    },
    forget: async (run) => {
      const recording = ready.get(run);
      if (!recording) return;
      ready.delete(run);
      runs.delete(run);
      await closing.during(run, recording.close());
    },
    close: async () => {
      await closing.all();
      for (const recording of ready.values()) await recording.close();
    },
  };
}

async function openRun(options: RecordingsOptions, run: string): Promise<Recording> {
  const { runsFolder, maxRunBytes: maxBytes, maxAgentBytes, log } = options;
  const folder = join(runsFolder, run);
  await recall(options, run, folder);
  if (await isFinished(folder)) options.onEnded(run);
  return openRecording({ folder, maxBytes, maxAgentBytes, log: log.child({ run }) });
}

/** Runs whose segments are being sealed, and which must not be opened meanwhile. */
function createClosing() {
  const runs = new Map<string, Promise<void>>();
  return {
    of: (run: string) => runs.get(run),
    all: () => Promise.all(runs.values()),
    during: async (run: string, done: Promise<void>): Promise<void> => {
      runs.set(
        run,
        done.catch(() => undefined),
      );
      await done.finally(() => runs.delete(run));
    },
  };
}

/** Disk space for a run that has not begun; `roomBytes` is what the budget of all runs leaves. */
export async function readDisk(of: {
  runsFolder: string;
  maxRunBytes: number;
  maxAgentBytes?: number;
  roomBytes: number;
}): Promise<Disk> {
  await makeFolder(of.runsFolder);
  const { bavail, bsize } = await statfs(of.runsFolder);
  const maxRunBytes = Math.min(of.maxRunBytes, of.roomBytes);
  return { freeBytes: bavail * bsize, maxRunBytes, maxAgentBytes: of.maxAgentBytes ?? maxRunBytes };
}

/** After a restart scores continue from the recording, since acknowledged frames are not sent again. */
async function recall(options: RecordingsOptions, run: string, folder: string): Promise<void> {
  for await (const frame of recordedFrames(run, folder)) await options.onRecalled(frame);
}

/** All frames in the folder of a run, with their origin. */
export async function* recordedFrames(run: string, folder: string): AsyncGenerator<RecordedFrame> {
  for await (const { stream, epoch, message } of readRecording(folder))
    if (isWithinBounds(message)) yield { run, origin: { stream, epoch, seq: message.seq }, message };
}
