/** How many episodes an agent plays at once: as asked for, by the processors, and by the memory for keys and values. */
import { availableParallelism } from 'node:os';
import { machineBytes } from '../process/machine-memory.ts';
import type { ModelInfo } from '../model/types.ts';

export interface AtOnceFlags {
  /** Undefined: by the processors. */
  atOnce: number | undefined;
  /** Undefined: a share of the machine's memory. */
  cacheMb: number | undefined;
}

export interface AtOnce {
  episodes: number;
  /** True: fewer than by flag or processors, for the memory. */
  isCutByMemory: boolean;
}

/** While the others of an episode speak, it takes no row of a pass: so more than a pass can use. */
const PER_PROCESSOR = 8;
/** Where each dialogue has a pass of its own, more at once gain nothing. */
const PER_PROCESSOR_ALONE = 2;
const MOST_UNASKED = 16;
/** Several agents and an analyzer share a machine. */
const MEMORY_SHARE = 1 / 8;
/** Of the memory for keys and values: for beginnings that prompts share. */
const PREFIX_SHARE = 1 / 8;
/** Of a dialogue's keys and values where passes are shared: its own, and its row in the block. */
const SHARED_COPIES = 2;

type CacheSize = Pick<ModelInfo, 'cacheTokenBytes' | 'contextTokens' | 'rowsPerPass'>;

function cacheBytes(cacheMb: number | undefined): number {
  return cacheMb === undefined ? machineBytes() * MEMORY_SHARE : cacheMb * 2 ** 20;
}

/** Memory for beginnings of prompts. */
export function prefixBytes(cacheMb: number | undefined): number {
  return cacheBytes(cacheMb) * PREFIX_SHARE;
}

/**
 * An episode is admitted only with room for keys and values of a whole context, so no dialogue is cut off later; one is
 * always played.
 */
export function chooseAtOnce(
  { atOnce, cacheMb }: AtOnceFlags,
  { cacheTokenBytes, contextTokens, rowsPerPass }: CacheSize,
): AtOnce {
  const isShared = rowsPerPass > 1;
  const unasked = (isShared ? PER_PROCESSOR : PER_PROCESSOR_ALONE) * availableParallelism();
  const wanted = atOnce ?? Math.min(MOST_UNASKED, unasked);
  const room = cacheBytes(cacheMb) * (1 - PREFIX_SHARE);
  const copies = isShared ? SHARED_COPIES : 1;
  const fitting = Math.max(1, Math.floor(room / (copies * cacheTokenBytes * contextTokens)));
  return { episodes: Math.min(wanted, fitting), isCutByMemory: fitting < wanted };
}
