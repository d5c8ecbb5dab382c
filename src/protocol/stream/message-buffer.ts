/**
 * Encodes messages into reused memory, since touching fresh memory costs more than filling it. A message is
 * lent until it is given back; then the next one may overwrite it.
 *
 *   map, with one entry more | its fields but the tensor | "data" | length | tensor
 */
import { crc32 } from 'node:zlib';
import { encodeMessage } from './codec.ts';
import { crcOfJoined } from './crc.ts';
import type { BranchFrame, StepsFrame, StreamMessage, TurnFrame } from './frames.ts';

export interface LentMessage {
  bytes: Uint8Array;
  /** CRC-32 of the bytes. */
  crc: number;
  /** To be called at most once. A message that is never given back costs only its memory. */
  giveBack(): void;
}

/** As many as are in use at once in normal flow. What a stalled connection has taken beyond that is freed. */
const MOST_IDLE = 4;
/** The string "data" and the msgpack mark of binary data with a length of 32 bits. */
const DATA_FIELD = Buffer.from('a464617461c6', 'hex');
const LENGTH_BYTES = 4;

export function createMessageLender(): (message: StreamMessage) => LentMessage {
  const idle: Buffer[] = [];
  const take = (length: number): Buffer => {
    const room = idle.pop();
    return room && room.length >= length ? room : Buffer.allocUnsafeSlow(length);
  };
  return (message) => {
    if (!('data' in message)) return plain(encodeMessage(message));
    const head = encodeHead(message);
    const length = head.length + message.data.length;
    const room = take(length);
    room.set(head);
    room.set(message.data, head.length);
    const giveBack = (): void => {
      if (idle.length < MOST_IDLE) idle.push(room);
    };
    const crc = crcOfJoined(crc32(head), { length: message.data.length, crc: message.crc32 });
    return { bytes: room.subarray(0, length), crc, giveBack };
  };
}

function plain(bytes: Uint8Array): LentMessage {
  return { bytes, crc: crc32(bytes), giveBack: () => undefined };
}

/** The message up to the first byte of its tensor. */
function encodeHead({ data, ...rest }: TurnFrame | StepsFrame | BranchFrame): Buffer {
  const { entries, fields } = splitMap(encodeMessage(rest as StreamMessage));
  const start = startMap(entries + 1);
  const head = Buffer.allocUnsafe(start.length + fields.length + DATA_FIELD.length + LENGTH_BYTES);
  head.set(start);
  head.set(fields, start.length);
  head.set(DATA_FIELD, start.length + fields.length);
  head.writeUInt32BE(data.length, head.length - LENGTH_BYTES);
  return head;
}

/** The number of entries of a map, and their bytes. */
function splitMap(map: Uint8Array): { entries: number; fields: Uint8Array } {
  const first = map[0] as number;
  if (first !== MAP_16) return { entries: first & 0x0f, fields: map.subarray(1) };
  return { entries: ((map[1] as number) << 8) | (map[2] as number), fields: map.subarray(3) };
}

const MAP_16 = 0xde;

const startMap = (entries: number): Buffer =>
  entries < 16 ? Buffer.of(0x80 | entries) : Buffer.of(MAP_16, entries >> 8, entries & 0xff);
