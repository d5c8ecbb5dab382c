/**
 * Messages in memory that is used again: to touch fresh memory costs more than to fill it. A message is lent until it is
 * given back; then the next one may be written over it.
 */
import { encodeWithin } from './codec.ts';
import type { StreamMessage } from './frames.ts';

export interface LentMessage {
  bytes: Uint8Array;
  /** At most once; a message that never comes back costs no more than its memory. */
  giveBack(): void;
}

/** As many as are under way at once while everything flows; what a stalled line has taken besides is let go of. */
const MOST_IDLE = 4;

export function createMessageLender(): (message: StreamMessage) => LentMessage {
  const idle: Buffer[] = [];
  return (message) => {
    const bytes = encodeWithin(idle.pop() ?? Buffer.alloc(0), message);
    const giveBack = (): void => {
      if (idle.length < MOST_IDLE) idle.push(Buffer.from(bytes.buffer));
    };
    return { bytes, giveBack };
  };
}
