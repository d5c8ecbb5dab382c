/**
 * Tests whether a graph gives a dialogue the same bits whatever shares its pass: alone, first, last, beside longer and
 * shorter ones, with more masked places and any values in them, and in passes of each size. If it does not, a pass
 * takes one dialogue.
 */
import { type ChunkLimits, createChunkScratch, runChunks } from './chunk-pass.ts';
import { createDialogueCache, type DialogueCache } from './dialogue-cache.ts';
import type { GraphIo } from './graph-io.ts';
import { layoutOf, rowFloats } from './kv-cache.ts';
import { type RowInput, type RowOutput, type RowParts, runRows } from './run-rows.ts';
import type { PassLimits } from './shared-decoder.ts';
import { createStepBlock, GRAIN, runSteps } from './step-block.ts';

/** A tested dialogue: tokens that it holds, and tokens that a pass computes. */
interface Tried {
  held: number;
  tokens: number;
}

/** None, few and more tokens, on either side of a multiple of GRAIN. */
const HELD = [33, 3, GRAIN, 47, 0, 31, 9, 15, 48, 1, 40, 32, 17, 7, 2 * GRAIN - 2, 5];
const CHUNKS = [3, 2, 2, 3, 2, 3, 2, 2];
/** Longer than every other one, so beside it all have masked places. */
const LONG = 64;
/** Longer than the runtime's matrix products take at once; tested beside only one dialogue, since it takes long. */
const VERY_LONG = 1100;
const MOST_FLOATS = 2 ** 25;
/** Numbers of positions that matrix products may sum over at once; the first that holds is taken. */
const SEGMENTS = [256, 128] as const;

export interface ProbeOptions {
  /** Number of rows to test. */
  most: number;
  contextTokens: number;
}

/** @returns how many dialogues a pass may take; 1 if the graph does not keep their bits */
export async function probePasses(parts: RowParts, options: ProbeOptions): Promise<PassLimits> {
  const none = { rowsPerPass: 1, chunks: { rows: 1, segment: SEGMENTS[0] } };
  if (!canShare(parts.io)) return none;
  try {
    const rowsPerPass = await probeSteps(parts, options);
    if (rowsPerPass === 1) return none;
    for (const segment of SEGMENTS) {
      const chunks = await probeChunks(parts, { ...options, segment });
      if (chunks === undefined) return none;
      if (chunks.rows > 1) return { rowsPerPass, chunks };
    }
    return { ...none, rowsPerPass };
  } catch {
    // A graph with a fixed batch size, or one that counts positions by the cache length, refuses such a pass.
    return none;
  }
}

/** Masked places need a mask, and the block holds float32 rows; other inputs would have to know of the places. */
function canShare({ recent, mask, slots, others }: GraphIo): boolean {
  const isMasked = mask?.type === 'int64' || mask?.type === 'int32';
  return (
    recent !== undefined && isMasked && others.length === 0 && slots.every(({ type }) => type === 'float32')
  );
}

/** @returns number of rows that a pass over one token of each may have */
async function probeSteps(parts: RowParts, { most, contextTokens }: ProbeOptions): Promise<number> {
  const step = (held: number): Tried => ({ held: Math.min(held, contextTokens - 1), tokens: 1 });
  const run = stepTrial(parts);
  const [first = step(0), ...others] = HELD.map(step);
  if (!(await isNearUnpadded(parts, run, first))) return 1;
  const longest = Math.max(LONG, Math.min(VERY_LONG, Math.floor(MOST_FLOATS / rowFloats(parts.io.slots))));
  const beside = (rows: number): Tried => step(rows === 2 ? longest : LONG);
  return countRows(run, { tried: others.slice(0, most - 1), beside });
}

/** @returns undefined if a chunk is wrong also in a pass of its own */
async function probeChunks(
  parts: RowParts,
  { contextTokens, segment }: ProbeOptions & { segment: number },
): Promise<ChunkLimits | undefined> {
  const chunk = (held: number, tokens: number): Tried => ({
    held: Math.max(0, Math.min(held, contextTokens - tokens)),
    tokens,
  });
  const run = chunkTrial(parts, segment);
  const tried = CHUNKS.map((tokens, i) => chunk(HELD[i] as number, tokens));
  if (!(await isNearUnpadded(parts, run, tried[0] as Tried))) return undefined;
  const pairs: [Tried, Tried][] = [
    [chunk(5, GRAIN + 1), chunk(segment - 2 * GRAIN, GRAIN + 2)],
    [chunk(segment - 5, 3), chunk(2 * segment - GRAIN, 3)],
  ];
  for (const [one, other] of pairs) {
    const isPossible = segment + LONG < contextTokens || one.held < GRAIN;
    if (isPossible && !sameBits((await run([one, other])).slice(0, 1), await run([one])))
      return { rows: 1, segment };
  }
  const beside = (rows: number): Tried => chunk(segment - GRAIN, rows === 2 ? GRAIN : 3);
  return { rows: await countRows(run, { tried: tried.slice(0, -1), beside }), segment };
}

interface Tries {
  tried: readonly Tried[];
  /** The last row of a pass. */
  beside(rows: number): Tried;
}

/** @returns the most rows with which, and with fewer, all had the bits of a pass of their own */
async function countRows(run: Trial, { tried, beside }: Tries): Promise<number> {
  const alone: Outcome[] = [];
  for (const one of tried) alone.push(...(await run([one])));
  for (let rows = 2; rows <= tried.length + 1; rows++) {
    const together = await run([...tried.slice(0, rows - 1), beside(rows)]);
    if (!sameBits(together.slice(0, -1), alone)) return rows - 1;
  }
  return tried.length + 1;
}

/** Output of a pass, and the keys and values of all tokens including the new ones. */
interface Outcome extends RowOutput {
  /** One array [heads, length, head dims] per slot. */
  cache: Float32Array[];
}

/** Runs the next tokens of each in one pass; each pass has other values in masked places. */
type Trial = (tried: readonly Tried[]) => Promise<Outcome[]>;

function stepTrial(parts: RowParts): Trial {
  return tryWith(parts, (masked, rows) => runSteps(parts, createStepBlock(parts.io.slots, masked), rows));
}

function chunkTrial(parts: RowParts, segment: number): Trial {
  return tryWith(parts, (masked, rows) => {
    const scratch = createChunkScratch(parts.io.slots, masked);
    return runChunks(parts, { scratch, segment }, rows);
  });
}

/** Larger than the tested keys and values, and so small that no score outweighs a mask of half precision, -6e4. */
const MASKED_VALUE = 16;

function tryWith(
  parts: RowParts,
  run: (masked: number, rows: readonly RowInput[]) => Promise<RowOutput[]>,
): Trial {
  let passes = 0;
  return async (tried) => {
    const rows = tried.map((one) => rowOf(parts.io, one));
    const outputs = await run((passes++ % 2 === 0 ? 1 : -1) * MASKED_VALUE, rows);
    return outputs.map((output, row) => ({
      ...output,
      cache: contentOf(parts.io, (rows[row] as RowInput).cache),
    }));
  };
}

/** Compares with a pass over a cache of exactly its length, to rounding. */
async function isNearUnpadded(parts: RowParts, run: Trial, tried: Tried): Promise<boolean> {
  const row = rowOf(parts.io, tried);
  const pasts = { data: contentOf(parts.io, row.cache), width: tried.held };
  const [unpadded] = await runRows(parts, [row], pasts);
  const [padded] = await run([tried]);
  return padded !== undefined && unpadded !== undefined && isNear(padded, unpadded);
}

function contentOf({ slots }: GraphIo, cache: DialogueCache): Float32Array[] {
  const width = cache.length;
  const data = slots.map((slot) => new Float32Array(rowFloats([slot]) * width));
  cache.copyTo({ data, width, row: 0 }, 0);
  return data;
}

/** Ids below this exist in every vocabulary. */
const TOKENS = 32;

/** Keys, values and ids that depend only on the lengths. */
function rowOf({ slots }: GraphIo, { held, tokens }: Tried): RowInput {
  let state = held + 1;
  // Keys and values from −1 to 1.
  const data = slots.map((slot) => {
    const { outer, inner } = layoutOf(slot);
    const values = new Float32Array(outer * held * inner);
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      values[i] = state / 2 ** 31 - 1;
    }
    return values;
  });
  const ids = Array.from({ length: tokens }, (_, i) => (held + 7 * i) % TOKENS);
  return { cache: createDialogueCache(slots, { data, length: held }), ids };
}

function sameBits(outcomes: readonly Outcome[], expected: readonly Outcome[]): boolean {
  return outcomes.every((outcome, row) => {
    const values = valuesOf(outcome);
    const others = valuesOf(expected[row] as Outcome);
    return values.length === others.length && values.every((value, i) => equal(value, others[i]));
  });
}

function valuesOf({ logits, states, cache }: Outcome): Float32Array[] {
  return [logits, ...states, ...cache];
}

function equal(a: Float32Array, b: Float32Array | undefined): boolean {
  if (a.length !== b?.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

/** Rounding error relative to the largest value. */
const TOLERANCE = 1e-3;

function isNear(a: RowOutput, b: RowOutput): boolean {
  const expected = [b.logits, ...b.states];
  return [a.logits, ...a.states].every((values, i) => {
    const others = expected[i] as Float32Array;
    const bound = TOLERANCE * others.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return values.every((value, k) => Math.abs(value - (others[k] as number)) <= bound);
  });
}
