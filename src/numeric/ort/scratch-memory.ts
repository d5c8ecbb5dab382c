/**
 * Scratch buffers that are used again and again. The first touch of a new page can cost more than the work done
 * in it, on a virtual machine many times as much.
 */
import type { Matrix } from '../linear-algebra.ts';
import { uninitialized } from './uninitialized.ts';

export interface ScratchMemory {
  /** Lends buffers of the given lengths, with arbitrary content, until `use` settles. */
  lend<T>(lengths: number[], use: (buffers: Float64Array[]) => Promise<T>): Promise<T>;
  /** Releases all kept buffers to the system; more may be lent afterwards. */
  release(): void;
  /** The same for good. */
  close(): void;
}

/** Values in all buffers that a thread keeps, newest first: 256 MiB. */
const KEPT = 2 ** 25;
/** After this time unused buffers are released to the system. */
const KEPT_FOR_MS = 60_000;

export function createScratchMemory(): ScratchMemory {
  let free: Float64Array[] = [];
  const drop = setTimeout(() => (free = []), KEPT_FOR_MS).unref();
  const take = (length: number): Float64Array => {
    const at = free.findIndex((buffer) => isFit(buffer, length));
    const [buffer = uninitialized(withMargin(length))] = at < 0 ? [] : free.splice(at, 1);
    return buffer;
  };
  const giveBack = (buffers: Float64Array[]): void => {
    free.push(...buffers);
    let kept = free.reduce((sum, { length }) => sum + length, 0);
    while (kept > KEPT) kept -= free.shift()?.length ?? kept;
    drop.refresh();
  };
  const release = (): void => void (free = []);
  return {
    release,
    close: () => {
      clearTimeout(drop);
      release();
    },
    lend: async (lengths, use) => {
      const buffers = lengths.map(take);
      try {
        return await use(buffers.map((buffer, index) => buffer.subarray(0, lengths[index])));
      } finally {
        giveBack(buffers);
      }
    },
  };
}

/** Whether a free buffer serves a request; a small request does not take a large buffer. */
const isFit = (buffer: Float64Array, length: number): boolean =>
  buffer.length >= length && buffer.length <= 2 * withMargin(length);

/** Adds a margin, since a group that is scored again has a few more rows. */
const withMargin = (length: number): number => Math.ceil(length * 1.125);

/** Cuts matrices off a buffer, one after the other. */
export interface Cutter {
  cut(rows: number, cols: number): Matrix;
  /** The part of the buffer that is not used yet. */
  rest(): Float64Array;
}

export function cutter(buffer: Float64Array): Cutter {
  let used = 0;
  return {
    cut: (rows, cols) => {
      const data = buffer.subarray(used, (used += rows * cols));
      return { rows, cols, data };
    },
    rest: () => buffer.subarray(used),
  };
}
