/**
 * Tests whether a graph gives a token the same bits whatever shares its pass: alone, first, last, beside longer and
 * shorter dialogues, in a wider block, with any values in masked places, and in passes of each size. If it does not,
 * a pass takes one dialogue.
 */
import { type DecoderParts, runChunk } from './decoder.ts';
import { createExactCache } from './exact-cache.ts';
import type { GraphIo } from './graph-io.ts';
import { layoutOf, rowFloats } from './kv-cache.ts';
import { copyRow, createStepBlock, fillMasked, GRAIN, takeRow } from './step-block.ts';
import { runSteps, type Step, type StepOutput } from './step-pass.ts';

/** Lengths of the tested dialogues in tokens: none, few and more, on either side of a multiple of GRAIN. */
const LENGTHS = [33, 3, GRAIN, 47, 0, 31, 9, 15, 48, 1, 40, 32, 17, 7, 2 * GRAIN - 2, 5];
/** Longer than every other one, so beside it all have masked places. */
const LONG = 64;
/** Longer than the runtime's matrix products take at once; tested beside only one dialogue, since it takes long. */
const VERY_LONG = 1100;
const MOST_FLOATS = 2 ** 25;

export interface ProbeOptions {
  /** Number of rows to test. */
  most: number;
  contextTokens: number;
}

/** @returns how many dialogues a pass may take; 1 if the graph does not keep a row's bits */
export async function probeSteps(
  parts: DecoderParts,
  { most, contextTokens }: ProbeOptions,
): Promise<number> {
  if (!canShare(parts.io)) return 1;
  const fit = (length: number): number => Math.min(length, contextTokens - 1);
  const [first = 0, ...others] = LENGTHS.map(fit);
  const tryRows = createTrial(parts);
  let held = 1;
  try {
    const alone = [(await tryRows([first]))[0] as Outcome];
    if (!isNear(alone[0] as Outcome, await tryUnpadded(parts, first))) return 1;
    for (const length of others.slice(0, most - 1)) alone.push((await tryRows([length]))[0] as Outcome);
    for (let rows = 2; rows <= most; rows++) {
      const last = fit(rows === 2 ? longest(parts.io) : LONG);
      const beside = await tryRows([...others.slice(0, rows - 1), last]);
      if (!sameBits(beside.slice(0, -1), alone.slice(1))) break;
      held = rows;
    }
  } catch {
    // A graph with a fixed batch size, or one that counts positions by the cache length, refuses such a pass.
  }
  return held;
}

/** Limited so that its keys and values take bounded memory. */
function longest({ slots }: GraphIo): number {
  return Math.max(LONG, Math.min(VERY_LONG, Math.floor(MOST_FLOATS / rowFloats(slots))));
}

/** Masked places need a mask, and the block holds float32 rows; other inputs would have to know of the places. */
function canShare({ recent, mask, slots, others }: GraphIo): boolean {
  const isMasked = mask?.type === 'int64' || mask?.type === 'int32';
  return (
    recent !== undefined && isMasked && others.length === 0 && slots.every(({ type }) => type === 'float32')
  );
}

interface Outcome extends StepOutput {
  /** Keys and values of all tokens including the new one: one array [heads, length, head dims] per slot. */
  cache: Float32Array[];
}

type Trial = (lengths: readonly number[]) => Promise<Outcome[]>;

/** Runs one token of a dialogue of each length in one pass; each pass has other values in masked places. */
function createTrial(parts: DecoderParts): Trial {
  let passes = 0;
  return async (lengths) => {
    const block = createStepBlock(parts.io.slots);
    const steps = lengths.map((length) => ({
      blockRow: takeRow(block, historyOf(parts.io, length), length),
      id: idAfter(length),
    }));
    fillMasked(block, (passes++ % 2 === 0 ? 1 : -1) * MASKED_VALUE);
    const outputs = await runSteps(parts, block, steps);
    return outputs.map((output, row) => ({
      ...output,
      cache: copyRow(block, (steps[row] as Step).blockRow),
    }));
  };
}

/** Larger than the tested keys and values, and so small that no score outweighs a mask of half precision, -6e4. */
const MASKED_VALUE = 16;

/** The same token in a pass of its own over a cache of exactly its length. */
async function tryUnpadded(parts: DecoderParts, length: number): Promise<StepOutput> {
  const cache = createExactCache(parts.io.slots);
  cache.replace(historyOf(parts.io, length), length);
  const layers = Array.from({ length: parts.states }, (_, layer) => layer);
  const { logits, states } = await runChunk(parts)(cache, [idAfter(length)], { layers });
  return { logits, states: layers.map((layer) => states.get(layer) as Float32Array) };
}

/** Ids below this exist in every vocabulary. */
const TOKENS = 32;

function idAfter(length: number): number {
  return length % TOKENS;
}

/** Keys and values that depend only on the length: one array [heads, length, head dims] per slot, from −1 to 1. */
function historyOf({ slots }: GraphIo, length: number): Float32Array[] {
  let state = length + 1;
  return slots.map((slot) => {
    const { outer, inner } = layoutOf(slot);
    const values = new Float32Array(outer * length * inner);
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      values[i] = state / 2 ** 31 - 1;
    }
    return values;
  });
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

function isNear(a: StepOutput, b: StepOutput): boolean {
  const expected = [b.logits, ...b.states];
  return [a.logits, ...a.states].every((values, i) => {
    const others = expected[i] as Float32Array;
    const bound = TOLERANCE * others.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return values.every((value, k) => Math.abs(value - (others[k] as number)) <= bound);
  });
}
