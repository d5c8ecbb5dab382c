/**
 * A cache for graphs that make each step's cache by concatenation. If `cache-rows.ts` lets the cache be fed in two
 * parts, a step gives only its new rows, and the whole cache is taken from the runtime once in a while. Rewinding
 * copies the remaining rows, once or twice a turn and for less than the cost of a step.
 */
import ort from '../../onnx/runtime.ts';
import { type CacheSlot, RECENT, type ValueInfo } from './graph-io.ts';
import {
  asBits,
  copyRows,
  dataOf,
  type KvCache,
  layoutOf,
  makeData,
  makeTensor,
  type NewRows,
  rowFloats,
} from './kv-cache.ts';

/** Number of recent rows after which the whole cache is copied; with more, each step costs the runtime more. */
const MOST_RECENT = 64;

export interface GrowingSlots {
  slots: readonly CacheSlot[];
  recent: ValueInfo | undefined;
}

export function createGrowingCache(io: GrowingSlots): KvCache {
  const tensors = io.slots.map((slot) => makeTensor(slot, 0, makeData(slot, 0)));
  return holdGrowing(io, { tensors, grown: 0, rows: createRecentRows(io.recent ? io.slots : []) });
}

interface Held {
  /** One tensor per slot; never written to. */
  tensors: ort.Tensor[];
  /** Number of tokens in them. */
  grown: number;
  rows: RecentRows;
}

function holdGrowing(io: GrowingSlots, { tensors, grown, rows }: Held): KvCache {
  const { slots, recent } = io;
  const fits = (tokens: number): boolean => recent !== undefined && rows.length + tokens <= MOST_RECENT;
  // Rows are given in float32.
  const joins = recent !== undefined && slots.every(({ type }) => type === 'float32');
  return {
    get length() {
      return grown + rows.length;
    },
    feeds: () => {
      const pasts = Object.fromEntries(slots.map((slot, i) => [slot.past, tensors[i] as ort.Tensor]));
      return recent ? { ...pasts, [RECENT]: rows.tensor() } : pasts;
    },
    fetches: (tokens) =>
      fits(tokens) || joins ? {} : Object.fromEntries(slots.map(({ present }) => [present, null])),
    advance: (outputs, { tokens, rows: added }) => {
      if (fits(tokens)) return rows.append(added, tokens);
      tensors = joins
        ? joinRows(slots, { tensors, grown }, [rows.all(), { tokens, rows: added }])
        : slots.map(({ present }) => asBits(outputs[present] as ort.Tensor));
      grown += rows.length + tokens;
      rows.length = 0;
    },
    truncate: (length) => {
      rows.length = Math.min(rows.length, Math.max(0, length - grown));
      if (length >= grown) return;
      tensors = slots.map((slot, i) => {
        const data = makeData(slot, length);
        copyRows(slot, length, { from: dataOf(tensors[i] as ort.Tensor), to: data });
        return makeTensor(slot, length, data);
      });
      grown = length;
    },
    fork: () => holdGrowing(io, { tensors, grown, rows: rows.fork() }),
  };
}

/** @returns tensors with the tokens of `added` after those they have */
function joinRows(
  slots: readonly CacheSlot[],
  { tensors, grown }: Pick<Held, 'tensors' | 'grown'>,
  added: readonly NewRows[],
): ort.Tensor[] {
  const length = grown + added.reduce((sum, { tokens }) => sum + tokens, 0);
  return slots.map((slot, i) => {
    const data = makeData(slot, length);
    copyRows(slot, grown, { from: dataOf(tensors[i] as ort.Tensor), to: data });
    const { outer, inner } = layoutOf(slot);
    let place = grown;
    for (const { tokens, rows } of added) {
      for (let token = 0; token < tokens; token++, place++) {
        for (let head = 0; head < outer; head++) {
          const start = ((token * slots.length + i) * outer + head) * inner;
          data.set(rows.subarray(start, start + inner), (head * length + place) * inner);
        }
      }
    }
    return makeTensor(slot, length, data);
  });
}

interface RecentRows {
  /** Number of tokens. */
  length: number;
  append(rows: Float32Array, tokens: number): void;
  all(): NewRows;
  /** [tokens, slots, heads, head dims] */
  tensor(): ort.Tensor;
  fork(): RecentRows;
}

/** A token's rows are contiguous, so adding one appends and removing some shortens the view. */
function createRecentRows(slots: readonly CacheSlot[]): RecentRows {
  return holdRows(slots, 0, new Float32Array(MOST_RECENT * rowFloats(slots)));
}

function holdRows(slots: readonly CacheSlot[], length: number, data: Float32Array): RecentRows {
  const size = rowFloats(slots);
  const [, heads = 1, , headDims = 1] = slots[0]?.emptyShape ?? [];
  return {
    length,
    append(rows, tokens) {
      data.set(rows, this.length * size);
      this.length += tokens;
    },
    all() {
      return { tokens: this.length, rows: data.subarray(0, this.length * size) };
    },
    tensor() {
      const shape = [this.length, slots.length, heads, headDims];
      return new ort.Tensor('float32', data.subarray(0, this.length * size), shape);
    },
    fork() {
      return holdRows(slots, this.length, data.slice());
    },
  };
}
