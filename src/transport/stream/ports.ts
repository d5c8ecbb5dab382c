/** What a stream sender is given: the frames without their numbers, the spool it keeps them in, and its settings. */
import type { DataMessage } from '../../protocol/stream/frames.ts';
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import type { Held } from './outbox.ts';
import type { ClientTls } from '../http/tls.ts';

type WithoutSeq<T> = T extends unknown ? Omit<T, 'seq'> : never;
/** What an agent streams; the sequence number is given by the sender. */
export type Frame = WithoutSeq<Exclude<DataMessage, { type: 'gap' }>>;

/** What the sender needs of a spool. */
export interface SenderSpool extends Held {
  lastEpoch(): number;
  begin(epoch: number): void;
  /** The bytes are the caller's again when this returns. `crc`: their CRC-32, where it is known already. */
  append(seq: number, message: Uint8Array, crc?: number): void;
  read(epoch: number, seq: number): Uint8Array | undefined;
  trim(epoch: number, seq: number): void;
  bytes(): number;
  /** 0…1: share of the spool in use. */
  fullness(): number;
  onStored(listener: () => void): void;
}

export interface StreamSenderOptions {
  /** ws:// or wss:// URL of the analyzer's stream endpoint. */
  url: () => string;
  token: () => string;
  /** The analyzer does not take the token. */
  onRefused?(): void;
  run: string;
  stream: string;
  spool: SenderSpool;
  log: Logger;
  clock: Clock;
  tls?: ClientTls;
  /** How long to wait for the analyzer to say which epochs it knows. */
  greetingMs?: number;
}
