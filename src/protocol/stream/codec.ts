/**
 * The only door between bytes and messages of the stream: scan, unpack, check, in this order. Past it nobody checks
 * again. The binary fields of a decoded message are views of the bytes it came from.
 */
import { crc32 } from 'node:zlib';
import { Packr, Unpackr } from 'msgpackr';
import { crcAround } from './crc.ts';
import { EntrainError } from '../errors.ts';
import { checkMessage } from './frame-check.ts';
import type { StreamMessage } from './frames.ts';
import { scanMessage } from './scan.ts';

/** The largest message that is accepted or made. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const packr = new Packr({ useRecords: false, variableMapSize: true });
// Other libraries write any whole number as int64 if they like; with 'auto', which the typings forgot, only those beyond
// 2^53 come out as BigInt.
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'auto' as 'number' });

/** The bytes are never written again, so they may be kept and sent later. */
export function encodeMessage(message: StreamMessage): Uint8Array {
  return packr.pack(message);
}

/**
 * @throws EntrainError FRAME_TOO_LARGE, FRAME_INVALID, FRAME_CHECKSUM, VERSION_MISMATCH
 */
export function decodeMessage(bytes: Uint8Array): StreamMessage {
  if (bytes.length > MAX_MESSAGE_BYTES)
    throw new EntrainError(
      'FRAME_TOO_LARGE',
      `The message has ${bytes.length} bytes; expected at most ${MAX_MESSAGE_BYTES}. Stream fewer layers or smaller batches of steps.`,
    );
  scanMessage(bytes);
  return checkMessage(unpack(bytes));
}

/** CRC-32 of the bytes that a message was decoded from. Its tensor, nearly all of them, was looked at then. */
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
