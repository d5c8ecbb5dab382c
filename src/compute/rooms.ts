/**
 * Memory that is used again and again. A page that was never touched can cost more than the work that is done in it, on
 * a virtual machine many times as much.
 */
import type { Matrix } from '../synchrony/types.ts';
import { unwritten } from './unwritten.ts';

export interface Rooms {
  /** A room of `length` values, as its last user left them; lent until `use` has settled. */
  lend<T>(length: number, use: (room: Float64Array) => Promise<T>): Promise<T>;
}

/** As many as are lent at once where one work stands inside another. */
const KEPT = 2;

export function createRooms(): Rooms {
  const free: Float64Array[] = [];
  const giveBack = (room: Float64Array): void => {
    free.push(room);
    free.sort((a, b) => a.length - b.length);
    if (free.length > KEPT) free.shift();
  };
  return {
    lend: async (length, use) => {
      const at = free.findIndex((room) => room.length >= length);
      const [room = unwritten(length)] = at < 0 ? [] : free.splice(at, 1);
      try {
        return await use(room.subarray(0, length));
      } finally {
        giveBack(room);
      }
    },
  };
}

/** Cuts matrices off a room, one after the other. */
export interface Cutter {
  cut(rows: number, cols: number): Matrix;
  /** What has not been cut off yet. */
  rest(): Float64Array;
}

export function cutter(room: Float64Array): Cutter {
  let used = 0;
  return {
    cut: (rows, cols) => {
      const data = room.subarray(used, (used += rows * cols));
      return { rows, cols, data };
    },
    rest: () => room.subarray(used),
  };
}
