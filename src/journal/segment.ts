/**
 * One file of a spool or recording:
 *
 *   length u32 | crc32 u32 | message     … as often as there are messages, numbers little-endian
 *   length u32 | crc32 u32 | seal        once it is full
 *
 * This file knows the bytes; what a message means it leaves to the codec.
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

/** A damaged stretch of the file: no record could be read from `from` up to `to`. */
export interface Damage {
  from: number;
  to: number;
}

export interface SegmentScan {
  /** Where each readable message stands, without its header. */
  records: { offset: number; length: number }[];
  seal: Seal | undefined;
  /** False when the seal's count or hash is not that of the file. */
  sealHolds: boolean;
  /** Stretches with readable records after them. */
  damages: Damage[];
  /** Where the readable file ends: what follows is a torn tail. */
  end: number;
}

export function segmentFile(name: SegmentName): string {
  return `${String(name.epoch).padStart(10, '0')}-${String(name.firstSeq).padStart(12, '0')}.seg`;
}

/** Segments among the names in a folder, in order. */
export function segmentNames(files: string[]): (SegmentName & { file: string })[] {
  return files
    .flatMap((file) => {
      const match = /^(\d{10,16})-(\d{12,16})\.seg$/.exec(file);
      return match ? [{ epoch: Number(match[1]), firstSeq: Number(match[2]), file }] : [];
    })
    .sort((a, b) => a.epoch - b.epoch || a.firstSeq - b.firstSeq);
}

/** `crc`: CRC-32 of the message, where it is known already. */
export function recordHeader(message: Uint8Array, crc?: number): Buffer {
  return recordHeaders([{ bytes: message, crc }]);
}

/** Headers of messages, one behind the other. */
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
    // Nothing may follow a seal.
    if (scan.seal) scan.sealHolds = false;
    return;
  }
  const hash = hashHeaders(bytes, scan.records);
  scan.sealHolds = !scan.seal && seal.count === scan.records.length && hash.equals(seal.sha256);
  scan.seal = seal;
}

/** What a seal is made over. */
export function hashHeaders(file: Uint8Array, records: SegmentScan['records']): Buffer {
  const hash = createHash('sha256');
  for (const { offset } of records) hash.update(file.subarray(offset - HEADER_BYTES, offset));
  return hash.digest();
}

/** Length of the message of the record that starts here, or undefined when none does. */
function recordAt(bytes: Buffer, at: number): number | undefined {
  if (at + HEADER_BYTES >= bytes.length) return undefined;
  const length = bytes.readUInt32LE(at);
  const offset = at + HEADER_BYTES;
  if (length === 0 || length > MAX_MESSAGE_BYTES || offset + length > bytes.length) return undefined;
  if (!startsMap(bytes[offset] as number)) return undefined;
  return crc32(bytes.subarray(offset, offset + length)) === bytes.readUInt32LE(at + 4) ? length : undefined;
}

/** Past a damage: where the damaged record says it ends, else the first place where a whole record stands. */
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
