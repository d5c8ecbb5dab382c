/**
 * Recovers a stream's recording after a crash: truncates torn tails, seals open segments, and finds the last
 * durable number of each epoch. A damage with readable records after it is no torn tail; it is left for
 * `entrain verify` to report.
 */
import { join } from 'node:path';
import { decodeMessage } from '../protocol/stream/codec.ts';
import { encodeSeal } from '../protocol/stream/seal.ts';
import type { Logger } from '../process/log.ts';
import type { Disk } from './disk.ts';
import {
  hashHeaders,
  recordHeader,
  scanSegment,
  segmentNames,
  type SegmentName,
  type SegmentScan,
} from './segment-format.ts';

interface Place {
  disk: Disk;
  folder: string;
  log: Logger;
}

/** Epoch → last durable sequence number. */
export async function recoverSegments(place: Place): Promise<Map<number, number>> {
  const durable = new Map<number, number>();
  for (const segment of segmentNames(place.disk.list(place.folder)).toReversed()) {
    // Only the end of an epoch can be torn. An earlier segment is looked at only if the later ones held no
    // record.
    if (durable.has(segment.epoch)) continue;
    const last = await recoverSegment(place, segment);
    if (last !== undefined) durable.set(segment.epoch, last);
  }
  return durable;
}

/** The last sequence number in a segment; undefined for a segment without records, which is removed. */
async function recoverSegment(
  place: Place,
  segment: SegmentName & { file: string },
): Promise<number | undefined> {
  const path = join(place.folder, segment.file);
  const bytes = place.disk.read(path);
  const scan = scanSegment(bytes);
  if (scan.damages.length > 0)
    place.log.error({ file: segment.file }, 'a segment of the recording is damaged');
  if (scan.seal) return lastSeq(segment, scan, bytes);
  if (scan.records.length === 0) {
    place.disk.remove(path);
    return undefined;
  }
  await sealRecovered(place, { path, bytes, scan }).catch((error: unknown) =>
    place.log.warn({ err: error, file: segment.file }, 'a recovered segment could not be sealed'),
  );
  return lastSeq(segment, scan, bytes);
}

function lastSeq(segment: SegmentName, scan: SegmentScan, bytes: Uint8Array): number {
  const last = scan.records.at(-1);
  if (!last) return segment.firstSeq + (scan.seal?.count ?? 0) - 1;
  const message = decodeMessage(bytes.subarray(last.offset, last.offset + last.length));
  return 'seq' in message ? message.seq : segment.firstSeq;
}

async function sealRecovered(
  { disk, folder }: Place,
  { path, bytes, scan }: { path: string; bytes: Uint8Array; scan: SegmentScan },
): Promise<void> {
  const file = disk.open(path);
  try {
    if (scan.end < bytes.length) file.truncate(scan.end);
    const sha256 = hashHeaders(bytes, scan.records);
    const message = encodeSeal({ count: scan.records.length, sha256 });
    file.append([recordHeader(message), message]);
    await file.sync();
    await disk.syncFolder(folder);
  } finally {
    file.close();
  }
}
