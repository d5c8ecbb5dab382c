/** What a stream sender is given: frames without their numbers, the spool that stores them, and settings. */
import type { DataMessage } from '../../../protocol/stream/frames.ts';
import type { Clock } from '../../../process/clock.ts';
import type { Logger } from '../../../process/log.ts';
import type { Held } from './outbox.ts';
import type { ClientTls } from '../../http/tls.ts';

type WithoutSeq<T> = T extends unknown ? Omit<T, 'seq'> : never;
/** A frame that an agent streams; the sender gives it its sequence number. */
export type Frame = WithoutSeq<Exclude<DataMessage, { type: 'gap' }>>;

/** What the sender needs of a spool. */
export interface SenderSpool extends Held {
  lastEpoch(): number;
  begin(epoch: number): void;
  /** The bytes belong to the caller again on return. `crc`: their CRC-32 where the caller knows it. */
  append(seq: number, message: Uint8Array, crc?: number): void;
  read(epoch: number, seq: number): Uint8Array | undefined;
  trim(epoch: number, seq: number): void;
  bytes(): number;
  /** Share of the spool in use, from 0 to 1. */
  fullness(): number;
  onStored(listener: () => void): void;
}

export interface StreamSenderOptions {
  /** ws:// or wss:// URL of the analyzer's stream endpoint. */
  url: () => string;
  token: () => string;
  /** SHA-256 of the only certificate that is accepted from the analyzer; undefined: any that `tls` trusts. */
  fingerprint?: () => string | undefined;
  /**
   * Called when the analyzer refuses the token, shows another certificate than `fingerprint`, or was not reached
   * several times.
   */
  onFailing?(): void;
  run: string;
  stream: string;
  spool: SenderSpool;
  log: Logger;
  clock: Clock;
  tls?: ClientTls;
  /** How long to wait for the analyzer to say which epochs it knows. */
  greetingMs?: number;
}
