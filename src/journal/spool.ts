/**
 * The frames of an agent that are not yet acknowledged, on disk. Appending writes a frame to a file at once.
 * While the disk is full, frames wait in memory up to a limit, and the agent is told to pause.
 *
 *   <folder>/<epoch>-<seq>.seg   a segment is removed when its last frame is acknowledged
 *
 * The newest segment is kept while its epoch lasts, so that the next start finds the epoch.
 */
import { EntrainError } from '../protocol/errors.ts';
import type { Logger } from '../process/log.ts';
import { realDisk, type Disk } from './disk.ts';
import { createSpoolSegment, recoverSpoolSegment, type SpoolSegment } from './spool-segment.ts';
import { segmentNames } from './segment-format.ts';

export interface SpoolOptions {
  folder: string;
  maxBytes: number;
  log: Logger;
  disk?: Disk;
  /** Bytes that may wait in memory while the disk is full. */
  maxWaitingBytes?: number;
}

export interface SpooledEpoch {
  epoch: number;
  firstSeq: number;
  /** `firstSeq` − 1 if the epoch has no frames. */
  lastSeq: number;
}

export interface Spool {
  /** The largest epoch ever begun in this folder; 0 if there is none. */
  lastEpoch(): number;
  /** Epochs with frames and the current epoch, in ascending order. */
  epochs(): SpooledEpoch[];
  begin(epoch: number): void;
  /**
   * Stores a frame. On return its bytes belong to the caller again.
   * @throws EntrainError `JOURNAL_FULL` if neither disk nor memory has space
   */
  append(seq: number, message: Uint8Array, crc?: number): void;
  /** Undefined if the frame never existed, was trimmed, or is damaged. */
  read(epoch: number, seq: number): Uint8Array | undefined;
  /** Size of a frame in bytes; 0 if it cannot be read. */
  sizeOf(epoch: number, seq: number): number;
  /** Removes the frames of the epoch up to `seq`, which were acknowledged. */
  trim(epoch: number, seq: number): void;
  bytes(): number;
  /** Share of the spool in use, from 0 to 1; 1 while frames wait in memory. */
  fullness(): number;
  /** The listener is called when frames that waited in memory have reached the disk. */
  onStored(listener: () => void): void;
  close(): Promise<void>;
}

const RETRY_MS = 250;
const SYNC_MS = 20;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

interface Frame {
  seq: number;
  message: Uint8Array;
  /** CRC-32 of the frame, if known. */
  crc: number | undefined;
}

/** State that the functions below share: the files, and the frames that wait in memory. */
interface State {
  segments: SpoolSegment[];
  lastEpoch: number;
  current: SpoolSegment | undefined;
  waiting: Frame[];
  waitingBytes: number;
  listener: () => void;
  retry: NodeJS.Timeout | undefined;
  /**
   * Frames in a file that are neither synced nor acknowledged, oldest first, each with the timer that syncs it.
   */
  unsafe: { epoch: number; seq: number; timer: NodeJS.Timeout }[];
}

type Settings = Required<SpoolOptions> & { segmentBytes: number };

export function openSpool(options: SpoolOptions): Promise<Spool> {
  const segmentBytes = Math.min(16 * 2 ** 20, Math.max(64 * 1024, Math.floor(options.maxBytes / 16)));
  const settings = { disk: realDisk, maxWaitingBytes: MAX_WAITING_BYTES, segmentBytes, ...options };
  const { disk, folder } = settings;
  disk.makeFolder(folder);
  const names = segmentNames(disk.list(folder));
  const state: State = {
    segments: names.map((name) => recoverSpoolSegment(settings, name)),
    lastEpoch: names.at(-1)?.epoch ?? 0,
    current: undefined,
    waiting: [],
    waitingBytes: 0,
    listener: () => undefined,
    retry: undefined,
    unsafe: [],
  };
  return Promise.resolve(spoolOf(state, settings));
}

function spoolOf(state: State, settings: Settings): Spool {
  const bytes = (): number => state.segments.reduce((sum, segment) => sum + segment.bytes(), 0);
  const holding = (epoch: number, seq: number): SpoolSegment | undefined =>
    state.segments.find((one) => one.epoch === epoch && seq >= one.firstSeq && seq <= one.lastSeq());
  return {
    lastEpoch: () => state.lastEpoch,
    epochs: () => listEpochs(state),
    begin: (epoch) => {
      state.lastEpoch = epoch;
      state.current = startSegment(state, settings, { epoch, firstSeq: 0 });
      removeEmpty(state);
    },
    append: (seq, message, crc) => append(state, settings, { seq, message, crc }),
    read: (epoch, seq) => holding(epoch, seq)?.read(seq),
    sizeOf: (epoch, seq) => holding(epoch, seq)?.sizeOf(seq) ?? 0,
    trim: (epoch, seq) => trim(state, epoch, seq),
    bytes: () => bytes() + state.waitingBytes,
    fullness: () => (state.waiting.length > 0 ? 1 : bytes() / settings.maxBytes),
    onStored: (listener) => {
      state.listener = listener;
    },
    close: () => close(state, settings),
  };
}

function listEpochs(state: State): SpooledEpoch[] {
  const epochs = new Map<number, SpooledEpoch>();
  for (const segment of state.segments) {
    const known = epochs.get(segment.epoch);
    const { epoch, firstSeq } = segment;
    epochs.set(epoch, { epoch, firstSeq: known?.firstSeq ?? firstSeq, lastSeq: segment.lastSeq() });
  }
  return [...epochs.values()].filter(
    ({ epoch, firstSeq, lastSeq }) => lastSeq >= firstSeq || epoch === state.current?.epoch,
  );
}

function startSegment(
  state: State,
  settings: Settings,
  name: { epoch: number; firstSeq: number },
): SpoolSegment {
  const segment = createSpoolSegment(settings, name);
  state.segments.push(segment);
  // The file name holds the epoch, which must survive a loss of power. Frames do not wait for this sync.
  settings.disk
    .syncFolder(settings.folder)
    .catch((error: unknown) => settings.log.warn({ err: error }, 'spool folder was not synced'));
  return segment;
}

function append(state: State, settings: Settings, frame: Frame): void {
  if (state.waiting.length === 0 && tryStore(state, settings, frame)) return;
  if (state.waitingBytes + frame.message.length > settings.maxWaitingBytes) throw spoolFull(settings);
  state.waiting.push({ ...frame, message: new Uint8Array(frame.message) });
  state.waitingBytes += frame.message.length;
  state.retry ??= setTimeout(() => storeWaiting(state, settings), RETRY_MS);
}

/** False if the disk or the spool's limit has no space for the frame at present. */
function tryStore(state: State, settings: Settings, frame: Frame): boolean {
  const used = state.segments.reduce((sum, segment) => sum + segment.bytes(), 0);
  if (used + frame.message.length > settings.maxBytes && used > 0) return false;
  try {
    const epoch = state.lastEpoch;
    if (!state.current || state.current.bytes() >= settings.segmentBytes)
      state.current = startSegment(state, settings, { epoch, firstSeq: frame.seq });
    state.current.append(frame.message, frame.crc);
  } catch (error) {
    if (state.retry === undefined)
      settings.log.error({ err: error }, 'spool cannot write; frames wait in memory');
    return false;
  }
  const timer = setTimeout(() => syncAll(state, settings), SYNC_MS);
  state.unsafe.push({ epoch: state.lastEpoch, seq: frame.seq, timer });
  return true;
}

function storeWaiting(state: State, settings: Settings): void {
  for (let frame = state.waiting[0]; frame && tryStore(state, settings, frame); frame = state.waiting[0]) {
    state.waiting.shift();
    state.waitingBytes -= frame.message.length;
  }
  state.retry =
    state.waiting.length > 0 ? setTimeout(() => storeWaiting(state, settings), RETRY_MS) : undefined;
  state.listener();
}

/**
 * Syncs all frames that need it. A killed process loses nothing anyway; a loss of power would lose the last
 * moments of an agent whose model state is lost too. So no call waits for the disk, and a frame that the
 * analyzer acknowledges in time is never synced here.
 */
function syncAll(state: State, settings: Settings): void {
  for (const { timer } of state.unsafe.splice(0)) clearTimeout(timer);
  for (const segment of state.segments)
    segment.sync().catch((error: unknown) => settings.log.warn({ err: error }, 'spool was not synced'));
}

function keepUnacknowledged(state: State, epoch: number, seq: number): void {
  const isDone = (one: { epoch: number; seq: number }): boolean =>
    one.epoch < epoch || (one.epoch === epoch && one.seq <= seq);
  for (let first = state.unsafe[0]; first && isDone(first); first = state.unsafe[0]) {
    clearTimeout(first.timer);
    state.unsafe.shift();
  }
}

function trim(state: State, epoch: number, seq: number): void {
  keepUnacknowledged(state, epoch, seq);
  const done = (segment: SpoolSegment): boolean =>
    segment.epoch === epoch && segment.lastSeq() <= seq && segment !== state.current;
  for (const segment of state.segments.filter(done)) segment.remove();
  state.segments = state.segments.filter((segment) => !done(segment));
}

/** Removes the files of epochs without frames, once a newer epoch keeps the count. */
function removeEmpty(state: State): void {
  const empty = (one: SpoolSegment): boolean => one.lastSeq() < one.firstSeq && one !== state.current;
  for (const segment of state.segments.filter(empty)) segment.remove();
  state.segments = state.segments.filter((segment) => !empty(segment));
}

async function close(state: State, settings: Settings): Promise<void> {
  if (state.waiting.length > 0) storeWaiting(state, settings);
  if (state.waiting.length > 0)
    settings.log.error({ frames: state.waiting.length }, 'spool closed on a full disk; frames are lost');
  clearTimeout(state.retry);
  for (const { timer } of state.unsafe.splice(0)) clearTimeout(timer);
  await Promise.allSettled(state.segments.map((segment) => segment.sync()));
  for (const segment of state.segments) segment.close();
}

function spoolFull(settings: Settings): EntrainError {
  return new EntrainError(
    'JOURNAL_FULL',
    `The spool in ${settings.folder} and its ${settings.maxWaitingBytes} bytes of memory are full; expected the analyzer to take frames. Free space there or bring the analyzer back.`,
  );
}
