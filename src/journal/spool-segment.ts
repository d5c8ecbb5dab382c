/** One segment of a spool, with the position of each of its frames. */
import { join } from 'node:path';
import { decodeMessage } from '../protocol/stream/codec.ts';
import type { Logger } from '../process/log.ts';
import type { Disk, DiskFile } from './disk.ts';
import { HEADER_BYTES, recordHeader, scanSegment, segmentFile, type SegmentName } from './segment-format.ts';

export interface SpoolSegment {
  readonly epoch: number;
  readonly firstSeq: number;
  lastSeq(): number;
  bytes(): number;
  /** Appends a frame. On an error no part of it stays in the file. `crc`: its CRC-32, if known. */
  append(message: Uint8Array, crc?: number): void;
  sizeOf(seq: number): number;
  read(seq: number): Uint8Array | undefined;
  /** Settles when every frame would survive a loss of power; at once if all of them were synced. */
  sync(): Promise<void>;
  /** Closes the file; the segment can no longer be used. */
  close(): void;
  remove(): void;
}

export interface SpoolPlace {
  disk: Disk;
  folder: string;
  log: Logger;
}

/** Position of frame `firstSeq` + i; a length of 0 marks a damaged frame. */
interface Places {
  offsets: number[];
  lengths: number[];
}

export function createSpoolSegment(place: SpoolPlace, name: SegmentName): SpoolSegment {
  const file = place.disk.open(join(place.folder, segmentFile(name)));
  file.truncate(0);
  return makeSegment(place, { name, file, places: { offsets: [], lengths: [] } });
}

/** Truncates a torn tail and finds the remaining frames. */
export function recoverSpoolSegment(place: SpoolPlace, name: SegmentName): SpoolSegment {
  const path = join(place.folder, segmentFile(name));
  const bytes = place.disk.read(path);
  const scan = scanSegment(bytes);
  const places: Places = { offsets: [], lengths: [] };
  for (const { offset, length } of scan.records) {
    const message = decodeMessage(bytes.subarray(offset, offset + length));
    if (!('seq' in message)) continue;
    const i = message.seq - name.firstSeq;
    while (places.offsets.length < i) {
      places.offsets.push(0);
      places.lengths.push(0);
    }
    places.offsets[i] = offset;
    places.lengths[i] = length;
  }
  if (scan.damages.length > 0) place.log.error({ path }, 'a segment of the spool is damaged');
  const file = place.disk.open(path);
  if (scan.end < bytes.length) file.truncate(scan.end);
  return makeSegment(place, { name, file, places });
}

function makeSegment(
  place: SpoolPlace,
  { name, file, places }: { name: SegmentName; file: DiskFile; places: Places },
): SpoolSegment {
  const { offsets, lengths } = places;
  let unsynced = false;
  let syncing = Promise.resolve();
  return {
    ...name,
    lastSeq: () => name.firstSeq + offsets.length - 1,
    bytes: () => file.size(),
    append: (message, crc) => {
      const before = file.size();
      try {
        file.append([recordHeader(message, crc), message]);
      } catch (error) {
        file.truncate(before);
        throw error;
      }
      unsynced = true;
      offsets.push(before + HEADER_BYTES);
      lengths.push(message.length);
    },
    sizeOf: (seq) => lengths[seq - name.firstSeq] ?? 0,
    read: (seq) => {
      const length = lengths[seq - name.firstSeq] ?? 0;
      return length === 0 ? undefined : file.read(offsets[seq - name.firstSeq] as number, length);
    },
    sync: () => {
      if (unsynced) syncing = file.sync();
      unsynced = false;
      return syncing;
    },
    close: () => file.close(),
    remove: () => {
      place.disk.remove(join(place.folder, segmentFile(name)));
      // While the thread pool still uses the handle it must not be closed, or another file could get the same
      // number.
      void syncing.catch(() => undefined).then(() => file.close());
    },
  };
}
