/** Reads a file of lines that is still being written: each read returns the complete lines since the last one. */
import { open } from 'node:fs/promises';

export interface LineTail {
  /**
   * Complete lines since the last read; none if there is no file. A file that became shorter is read from its start.
   */
  read(): Promise<string[]>;
}

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;

export function createLineTail(file: string): LineTail {
  let offset = 0;
  return {
    read: async () => {
      const handle = await open(file, 'r').catch(() => undefined);
      if (!handle) return [];
      try {
        const { size } = await handle.stat();
        if (size < offset) offset = 0;
        const lines: string[] = [];
        let rest = Buffer.alloc(0);
        for (let at = offset; at < size;) {
          const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - at));
          const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
          if (bytesRead === 0) break;
          at += bytesRead;
          rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
          const end = rest.lastIndexOf(NEWLINE) + 1;
          lines.push(...rest.toString('utf8', 0, end).split('\n').slice(0, -1));
          rest = rest.subarray(end);
          offset += end;
        }
        return lines;
      } finally {
        await handle.close();
      }
    },
  };
}

/** Parses lines of JSON; a line that is not an object is skipped. */
export function objectsOf(lines: readonly string[]): Record<string, unknown>[] {
  return lines.flatMap((line) => {
    try {
      const value = JSON.parse(line) as Record<string, unknown> | null;
      return typeof value === 'object' && value !== null ? [value] : [];
    } catch {
      return [];
    }
  });
}
