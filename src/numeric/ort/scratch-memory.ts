/**
 * Memory that is used again and again. A page that was never touched can cost more than the work that is done in it, on
 * a virtual machine many times as much.
 */
import type { Matrix } from '../linear-algebra.ts';
import { unwritten } from './uninitialized.ts';

export interface Rooms {
  /** Rooms of so many values each, as their last users left them; lent until `use` has settled. */
  lend<T>(lengths: number[], use: (rooms: Float64Array[]) => Promise<T>): Promise<T>;
  /** Gives back to the system what is kept. */
  close(): void;
}

/** Values in all the rooms that a thread keeps, the newest: 256 MiB. */
const KEPT = 2 ** 25;
/** Then they are given back to the system. */
const KEPT_FOR_MS = 60_000;

export function createRooms(): Rooms {
  let free: Float64Array[] = [];
  const drop = setTimeout(() => (free = []), KEPT_FOR_MS).unref();
  const take = (length: number): Float64Array => {
    const at = free.findIndex((room) => isFit(room, length));
    const [room = unwritten(withMargin(length))] = at < 0 ? [] : free.splice(at, 1);
    return room;
  };
  const giveBack = (rooms: Float64Array[]): void => {
    free.push(...rooms);
    let kept = free.reduce((sum, { length }) => sum + length, 0);
    while (kept > KEPT) kept -= free.shift()?.length ?? kept;
    drop.refresh();
  };
  return {
    close: () => {
      clearTimeout(drop);
      free = [];
    },
    lend: async (lengths, use) => {
      const rooms = lengths.map(take);
      try {
        return await use(rooms.map((room, index) => room.subarray(0, lengths[index])));
      } finally {
        giveBack(rooms);
      }
    },
  };
}

/** Small ones do not take the place of large ones. */
const isFit = (room: Float64Array, length: number): boolean =>
  room.length >= length && room.length <= 2 * withMargin(length);

/** A group that is scored again has a few rows more. */
const withMargin = (length: number): number => Math.ceil(length * 1.125);

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
