/**
 * The seal is the last record of a full segment: the number of its messages, and a hash over their headers. The
 * headers hold length and checksum of each message; a hash over all bytes would cost the recording a quarter of
 * its speed.
 */
import { Packr, Unpackr } from 'msgpackr';

export interface Seal {
  type: 'seal';
  count: number;
  /** SHA-256 of the headers (`length | crc32`) of all records before it, concatenated. */
  sha256: Uint8Array;
}

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false });
/** A map of three entries, the first of which is type: seal; no message of the stream begins like this. */
const PREFIX = Buffer.from('83a474797065a47365616c', 'hex');
const MAX_SEAL_BYTES = 80;

export function encodeSeal(seal: Omit<Seal, 'type'>): Uint8Array {
  return packr.pack({ type: 'seal', count: seal.count, sha256: seal.sha256 });
}

/** The seal in these bytes; undefined if they are something else. */
export function readSeal(bytes: Uint8Array): Seal | undefined {
  if (bytes.length > MAX_SEAL_BYTES || !PREFIX.equals(bytes.subarray(0, PREFIX.length))) return undefined;
  return unpackr.unpack(bytes) as Seal;
}
