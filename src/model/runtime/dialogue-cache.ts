/**
 * Keys and values of one dialogue whose passes others may share. They are in memory of its own with spare space after
 * them; each pass is given a copy (`step-block.ts`, `chunk-scratch.ts`) and adds its tokens here.
 */
import type { CacheSlot } from './graph-io.ts';
import { layoutOf } from './kv-cache.ts';

export interface DialogueCache {
  /** Number of tokens. */
  readonly length: number;
  /** Adds the tokens of a pass. */
  append(added: AddedTokens): void;
  /** Removes all but the first `length` tokens. */
  truncate(length: number): void;
  /** Copies the tokens from position `from` on. */
  copyTo(target: CopyTarget, from: number): void;
  fork(): DialogueCache;
}

/** New keys and values of one dialogue in the output of a pass. */
export interface AddedTokens {
  /** [tokens, slots, rows, heads, head dims] */
  values: Float32Array;
  tokens: number;
  rows: number;
  /** Index of the dialogue's row. */
  row: number;
  /** Index of its first token; those before are padding. */
  first: number;
}

/** One array [rows, heads, width, head dims] per slot. */
export interface CopyTarget {
  data: readonly Float32Array[];
  width: number;
  row: number;
}

export interface SlotSize {
  heads: number;
  headDims: number;
}

export function slotSize(slots: readonly CacheSlot[]): SlotSize {
  const { outer: heads, inner: headDims } = slots[0] ? layoutOf(slots[0]) : { outer: 1, inner: 1 };
  return { heads, headDims };
}

/** One array [heads, length, head dims] per slot, and the number of tokens in it. */
export interface CacheContent {
  data: Float32Array[];
  length: number;
  /** Number of tokens for which there is space, where it is more. */
  capacity?: number;
}

/** @param from content to begin with; the arrays are taken over */
export function createDialogueCache(
  slots: readonly CacheSlot[],
  from: CacheContent = { data: slots.map(() => new Float32Array(0)), length: 0 },
): DialogueCache {
  const size = slotSize(slots);
  let { data, length, capacity = length } = from;
  const copy = (width: number): Float32Array[] => {
    const copies = slots.map(() => new Float32Array(size.heads * width * size.headDims));
    copyHeads({ data, length, capacity, size }, { data: copies, width, row: 0 }, 0);
    return copies;
  };
  return {
    get length() {
      return length;
    },
    append: (added) => {
      const after = length + added.tokens - added.first;
      if (after > capacity) {
        const grown = Math.max(after, Math.ceil(capacity * GROWTH), FIRST_TOKENS);
        data = copy(grown);
        capacity = grown;
      }
      appendTokens({ data, length, capacity, size }, added);
      length = after;
    },
    truncate: (to) => {
      length = Math.min(length, to);
    },
    copyTo: (target, first) => copyHeads({ data, length, capacity, size }, target, first),
    // with space for the first words that follow, which would else copy all of it again
    fork: () => {
      const spacious = length + FIRST_TOKENS;
      return createDialogueCache(slots, { data: copy(spacious), length, capacity: spacious });
    },
  };
}

const FIRST_TOKENS = 64;
/** Factor by which the space grows, so that copies are rare. */
const GROWTH = 1.5;

interface Held extends Required<CacheContent> {
  size: SlotSize;
}

function copyHeads({ data, length, capacity, size }: Held, target: CopyTarget, from: number): void {
  const { heads, headDims } = size;
  if (from >= length) return;
  for (const [slot, to] of target.data.entries()) {
    const values = data[slot] as Float32Array;
    for (let head = 0; head < heads; head++) {
      const start = (head * capacity + from) * headDims;
      const part = values.subarray(start, start + (length - from) * headDims);
      to.set(part, ((target.row * heads + head) * target.width + from) * headDims);
    }
  }
}

function appendTokens({ data, length, capacity, size }: Held, added: AddedTokens): void {
  const { heads, headDims } = size;
  const { values, tokens, rows, row, first } = added;
  for (let token = first; token < tokens; token++) {
    const place = length + token - first;
    for (const [slot, to] of data.entries()) {
      let at = ((token * data.length + slot) * rows + row) * heads * headDims;
      for (let head = 0; head < heads; head++) {
        const start = (head * capacity + place) * headDims;
        for (let i = 0; i < headDims; i++) to[start + i] = values[at++] as number;
      }
    }
  }
}
