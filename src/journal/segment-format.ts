/**
 * Format of a segment: one file of a spool or recording.
 *
 *   length u32 | crc32 u32 | message     … as often as there are messages, numbers little-endian
 *   length u32 | crc32 u32 | seal        once it is full
 *
 * The codec, not this file, knows what a message means.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { MAX_MESSAGE_BYTES } from '../protocol/stream/codec.ts';
import { readSeal, type Seal } from '../protocol/stream/seal.ts';

export const HEADER_BYTES = 8;

export interface SegmentName {
  epoch: number;
  /** Sequence number of the first message. */
  firstSeq: number;
}

/** A damaged stretch of the file: bytes `from` up to `to` hold no readable record. */
export interface Damage {
  from: number;
  to: number;
}

export interface SegmentScan {
  /** Offset and length of each readable message, without its header. */
  records: { offset: number; length: number }[];
  seal: Seal | undefined;
  /** False if the seal's count or hash does not match the file. */
  sealHolds: boolean;
  /** Damaged stretches that are followed by readable records. */
  damages: Damage[];
  /** End of the last readable record; what follows is a torn tail. */
  end: number;
}

export function segmentFile(name: SegmentName): string {
  return `${String(name.epoch).padStart(10, '0')}-${String(name.firstSeq).padStart(12, '0')}.seg`;
}

/** Segments among the names in a folder, sorted by epoch and first number. */
export function segmentNames(files: string[]): (SegmentName & { file: string })[] {
  return files
    .flatMap((file) => {
      const match = /^(\d{10,16})-(\d{12,16})\.seg$/.exec(file);
      return match ? [{ epoch: Number(match[1]), firstSeq: Number(match[2]), file }] : [];
    })
    .sort((a, b) => a.epoch - b.epoch || a.firstSeq - b.firstSeq);
}

/** `crc`: CRC-32 of the message, if the caller knows it. */
export function recordHeader(message: Uint8Array, crc?: number): Buffer {
  return recordHeaders([{ bytes: message, crc }]);
}

/** Headers of messages, concatenated. */
export function recordHeaders(messages: readonly { bytes: Uint8Array; crc?: number | undefined }[]): Buffer {
  const headers = Buffer.allocUnsafe(messages.length * HEADER_BYTES);
  let at = 0;
  for (const { bytes, crc = crc32(bytes) } of messages) {
    at = headers.writeUInt32LE(bytes.length, at);
    at = headers.writeUInt32LE(crc, at);
  }
  return headers;
}

export function scanSegment(file: Uint8Array): SegmentScan {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const scan: SegmentScan = { records: [], seal: undefined, sealHolds: true, damages: [], end: 0 };
  let at = 0;
  while (at < bytes.length) {
    const next = recordAt(bytes, at) === undefined ? nextRecord(bytes, at) : at;
    if (next === undefined) return scan;
    if (next > at) scan.damages.push({ from: at, to: next });
    takeRecord(scan, bytes, next);
    at = scan.end;
  }
  return scan;
}

function takeRecord(scan: SegmentScan, bytes: Buffer, at: number): void {
  const length = recordAt(bytes, at) as number;
  const offset = at + HEADER_BYTES;
  const seal = readSeal(bytes.subarray(offset, offset + length));
  scan.end = offset + length;
  if (!seal) {
    scan.records.push({ offset, length });
    // A seal must be the last record.
    if (scan.seal) scan.sealHolds = false;
    return;
  }
  const hash = hashHeaders(bytes, scan.records);
  scan.sealHolds = !scan.seal && seal.count === scan.records.length && hash.equals(seal.sha256);
  scan.seal = seal;
}

/** SHA-256 over the record headers, which the seal stores. */
export function hashHeaders(file: Uint8Array, records: SegmentScan['records']): Buffer {
  const hash = createHash('sha256');
  for (const { offset } of records) hash.update(file.subarray(offset - HEADER_BYTES, offset));
  return hash.digest();
}

/** Length of the message whose record starts at `at`; undefined if no valid record starts there. */
function recordAt(bytes: Buffer, at: number): number | undefined {
  if (at + HEADER_BYTES >= bytes.length) return undefined;
  const length = bytes.readUInt32LE(at);
  const offset = at + HEADER_BYTES;
  if (length === 0 || length > MAX_MESSAGE_BYTES || offset + length > bytes.length) return undefined;
  if (!startsMap(bytes[offset] as number)) return undefined;
  return crc32(bytes.subarray(offset, offset + length)) === bytes.readUInt32LE(at + 4) ? length : undefined;
}

/**
 * Where the next record begins after a damage: where the damaged record says it ends, else the first place with
 * a whole record.
 */
function nextRecord(bytes: Buffer, damaged: number): number | undefined {
  if (damaged + HEADER_BYTES < bytes.length) {
    const stated = damaged + HEADER_BYTES + bytes.readUInt32LE(damaged);
    if (recordAt(bytes, stated) !== undefined) return stated;
  }
  for (let at = damaged + 1; at + HEADER_BYTES < bytes.length; at++)
    if (recordAt(bytes, at) !== undefined) return at;
  return undefined;
}

function startsMap(token: number): boolean {
  return (token >= 0x80 && token <= 0x8f) || token === 0xde || token === 0xdf;
}
