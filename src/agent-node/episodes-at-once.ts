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

const PER_PROCESSOR = 2;
const MOST_UNASKED = 8;
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
  const wanted = atOnce ?? Math.min(MOST_UNASKED, PER_PROCESSOR * availableParallelism());
  const room = cacheBytes(cacheMb) * (1 - PREFIX_SHARE);
  const copies = rowsPerPass > 1 ? SHARED_COPIES : 1;
  const fitting = Math.max(1, Math.floor(room / (copies * cacheTokenBytes * contextTokens)));
  return { episodes: Math.min(wanted, fitting), isCutByMemory: fitting < wanted };
}
