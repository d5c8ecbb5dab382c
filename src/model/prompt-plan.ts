/**
 * Turns a dialogue into the chunks that its tokens are run through the model in. A chunk's place depends on the text
 * alone, never on when it arrived: the last digits of a state depend on the chunk it was computed in.
 *
 *   <s><|system|>… <|end|><|user|>│ words of the peer … │ 16 │ 16 │ rest │<|end|><|assistant|>│o│w│n│ │w│o│r│d│s│<|end|>…
 *   template: every 64 tokens      peer: every 16 tokens                  template               own: one by one, as spoken
 */
import type { Rendered, Turn } from './chat-template.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface Chunk {
  ids: readonly number[];
  /** Index of the turn whose words these are; undefined for template tokens. */
  turn: number | undefined;
  /** Index of the first of these tokens within the turn's words. */
  step0: number;
  /** A later token could still join this chunk. */
  open: boolean;
}

export const HEARD_CHUNK = 16;
export const TEMPLATE_CHUNK = 64;

export interface PlanInput {
  rendered: Rendered;
  turns: readonly Turn[];
  tokenizer: Tokenizer;
}

export function planPrompt({ rendered, turns, tokenizer }: PlanInput): Chunk[] {
  const ids = tokenizer.encode(rendered.text);
  const chunks: Chunk[] = [];
  let at = 0;
  const boundary = (end: number): number =>
    Math.max(at, commonLength(ids, tokenizer.encode(rendered.text.slice(0, end))));
  const cut = (to: number, turn?: number): void => {
    const size = turn === undefined ? TEMPLATE_CHUNK : turns[turn]?.who === 'self' ? 1 : HEARD_CHUNK;
    chunks.push(...cutEvery(size, ids.slice(at, to), turn));
    at = to;
  };
  for (const [turn, [start, end]] of [...rendered.ranges].sort(([a], [b]) => a - b)) {
    cut(boundary(start));
    cut(boundary(end), turn);
  }
  cut(ids.length);
  return chunks;
}

/** The plan up to the last words of turn `turn`; without the chunk that still grows when the turn is not finished. */
export function planThrough(plan: readonly Chunk[], turn: number, finished: boolean): Chunk[] {
  const last = plan.findLastIndex((chunk) => chunk.turn === turn);
  const chunks = plan.slice(0, last + 1);
  if (!finished && chunks.at(-1)?.open) chunks.pop();
  return chunks;
}

function cutEvery(size: number, ids: readonly number[], turn: number | undefined): Chunk[] {
  const chunks: Chunk[] = [];
  for (let step0 = 0; step0 < ids.length; step0 += size) {
    const part = ids.slice(step0, step0 + size);
    chunks.push({ ids: part, turn, step0, open: part.length < size });
  }
  return chunks;
}

/** How many elements two lists share from the start. */
export function commonLength(a: readonly number[], b: readonly number[]): number {
  const limit = Math.min(a.length, b.length);
  let n = 0;
  while (n < limit && a[n] === b[n]) n++;
  return n;
}

export function countTokens(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { ids }) => sum + ids.length, 0);
}

/** How many chunks two plans share from the start; only ids and cuts matter, not whose words they are. */
export function commonChunks(a: readonly Chunk[], b: readonly Chunk[]): number {
  const limit = Math.min(a.length, b.length);
  let n = 0;
  while (n < limit && sameIds(a[n]?.ids ?? [], b[n]?.ids ?? [])) n++;
  return n;
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && commonLength(a, b) === a.length;
}
