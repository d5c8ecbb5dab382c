/**
 * Passes over chunks of prompts, of several dialogues where their bits stay their own.
 *
 *   position   0 … held-1 │ masked …         │ group of 16, 32, … positions ───────────
 *              ───────── past, by slot ───────────────── │ padding │ tokens of the chunk
 *
 * The last token is at the last position of a group, since the logits are those of the last position. Matrix products
 * sum over the positions of a segment before they add the next segment, so the new tokens must be in the same segment
 * whatever shares the pass: a pass takes dialogues of one segment, and a group never extends over two.
 */
import { slotSize } from './dialogue-cache.ts';
import type { CacheSlot } from './graph-io.ts';
import { longest, type Pasts, type RowInput, type RowOutput, type RowParts, runRows } from './run-rows.ts';
import { GRAIN } from './step-block.ts';

export interface ChunkLimits {
  /** Most dialogues in a pass. */
  rows: number;
  /** Number of positions that matrix products sum over at once. */
  segment: number;
}

/** Most tokens in a pass of several dialogues: those of the longest chunk of one. Padding counts. */
const MOST_TOKENS = 64;

/** Those of the waiting chunks that share the next pass; the first always does. */
export function chooseChunks<Chunk extends RowInput>(
  waiting: readonly Chunk[],
  { rows, segment }: ChunkLimits,
): Chunk[] {
  const chosen: Chunk[] = [];
  for (const chunk of waiting) {
    const [first = chunk] = chosen;
    const tokens = longest([...chosen, chunk]) * (chosen.length + 1);
    const fits = chosen.length < rows && tokens <= MOST_TOKENS && isAlike(first, chunk, segment);
    if (chosen.length === 0 || fits) chosen.push(chunk);
  }
  return chosen;
}

function isAlike(a: RowInput, b: RowInput, segment: number): boolean {
  const segmentOf = (row: RowInput): number => Math.floor(groupStart(row, segment) / segment);
  if (a.patch || b.patch) return false;
  return groupTokens(a) === groupTokens(b) && segmentOf(a) === segmentOf(b);
}

function groupTokens({ ids }: RowInput): number {
  return Math.ceil(ids.length / GRAIN) * GRAIN;
}

/** First position of the group of the new tokens, where the dialogue has a pass of its own. */
function groupStart(row: RowInput, segment: number): number {
  const start = Math.ceil(row.cache.length / GRAIN) * GRAIN;
  const end = (Math.floor(start / segment) + 1) * segment;
  return start + groupTokens(row) > end ? end : start;
}

/** Copies of the keys and values for one pass, in memory that is used again. */
export interface ChunkScratch {
  /** One array per slot. */
  data: Float32Array[];
  rowFloats: number;
  masked: number;
}

/** @param masked value of places that hold no token, which must not change any result */
export function createChunkScratch(slots: readonly CacheSlot[], masked = 0): ChunkScratch {
  const { heads, headDims } = slotSize(slots);
  return { data: slots.map(() => new Float32Array(0)), rowFloats: heads * headDims, masked };
}

/** Runs a pass over chunks that `chooseChunks` chose. */
export async function runChunks(
  parts: RowParts,
  { scratch, segment }: { scratch: ChunkScratch; segment: number },
  chunks: readonly RowInput[],
): Promise<RowOutput[]> {
  const start = Math.max(...chunks.map((chunk) => groupStart(chunk, segment)));
  const width = start + Math.max(...chunks.map(groupTokens)) - longest(chunks);
  return runRows(parts, chunks, gatherPasts(scratch, chunks, width));
}

function gatherPasts(scratch: ChunkScratch, chunks: readonly RowInput[], width: number): Pasts {
  const size = chunks.length * width * scratch.rowFloats;
  if (size > (scratch.data[0]?.length ?? size))
    scratch.data = scratch.data.map(() => new Float32Array(size).fill(scratch.masked));
  const { data } = scratch;
  for (const [row, { cache }] of chunks.entries()) cache.copyTo({ data, width, row }, 0);
  return { data, width };
}
