/**
 * Encodes and decodes messages of the stream. Decoding scans, unpacks and checks, in this order; afterwards no
 * code checks again. The binary fields of a decoded message are views of its bytes.
 */
import { crc32 } from 'node:zlib';
import { Packr, Unpackr } from 'msgpackr';
import { crcAround } from './crc.ts';
import { EntrainError } from '../errors.ts';
import { checkMessage } from './frame-check.ts';
import type { StreamMessage } from './frames.ts';
import { scanMessage } from './scan.ts';

/** Size of the largest message in bytes, in both directions. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const packr = new Packr({ useRecords: false, variableMapSize: true });
// Other libraries may write any whole number as int64. With 'auto', which the type declarations lack, only
// those beyond 2^53 become BigInt.
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'auto' as 'number' });

/** The returned bytes are not reused, so they may be kept and sent later. */
export function encodeMessage(message: StreamMessage): Uint8Array {
  return packr.pack(message);
}

/** @throws EntrainError `FRAME_TOO_LARGE`, `FRAME_INVALID`, `FRAME_CHECKSUM`, `VERSION_MISMATCH` */
export function decodeMessage(bytes: Uint8Array): StreamMessage {
  if (bytes.length > MAX_MESSAGE_BYTES)
    throw new EntrainError(
      'FRAME_TOO_LARGE',
      `The message has ${bytes.length} bytes; expected at most ${MAX_MESSAGE_BYTES}. Stream fewer layers or smaller batches of steps.`,
    );
  scanMessage(bytes);
  return checkMessage(unpack(bytes));
}

/**
 * CRC-32 of the bytes of a decoded message. The checksum of its tensor, which is nearly all of the bytes, is
 * reused.
 */
export function crcOfMessage(bytes: Uint8Array, message: StreamMessage): number {
  if (!('data' in message)) return crc32(bytes);
  const { data } = message;
  const known = { offset: data.byteOffset - bytes.byteOffset, length: data.length, crc: message.crc32 };
  return crcAround(bytes, known);
}

function unpack(bytes: Uint8Array): unknown {
  try {
    return unpackr.unpack(bytes);
  } catch (cause) {
    throw new EntrainError('FRAME_INVALID', 'The message is not valid msgpack; expected one map.', { cause });
  }
}
