/** An HTTP answer that goes on: server-sent events to one client, which may read more slowly than they come. */
import type { ServerResponse } from 'node:http';

export interface EventStream {
  /**
   * Sends text. What may be shed is left out while the client is behind; a client too far behind for the rest is cut
   * off.
   * @returns whether it was sent
   */
  send(text: string, mayShed?: boolean): boolean;
  onClose(listener: () => void): void;
  close(): void;
}

/** Bytes that wait for a client: above the first, previews are shed; above the second, the client is cut off. */
const SHED_BYTES = 256 * 1024;
const MOST_BYTES = 8 * 1024 * 1024;

export function openEventStream(response: ServerResponse): EventStream {
  return {
    send: (text, mayShed = false) => {
      if (response.destroyed || response.writableEnded) return false;
      const waiting = response.writableLength;
      if (mayShed && waiting > SHED_BYTES) return false;
      if (waiting > MOST_BYTES) {
        response.destroy();
        return false;
      }
      response.write(text);
      return true;
    },
    onClose: (listener) => void response.once('close', listener),
    close: () => void response.end(),
  };
}
