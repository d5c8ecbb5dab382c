/**
 * Cuts a dialogue into the chunks in which its tokens are run through the model. The cuts depend only on the text,
 * never on the time of arrival, since the last digits of a state depend on its chunk.
 *
 *   <s><|system|>… <|end|><|user|>│ words of the │ peer, by ≥ 8 │ rest<|end|><|assistant|>│o│w│n│ │w│o│r│d│s│…
 *   template: by 64                                               one pass to the reply     one by one, as spoken
 */
import type { Rendered } from '../text/chat-template.ts';
import type { Turn } from '../text/template-roles.ts';
import type { Tokenizer } from '../text/tokenizer.ts';

export interface Chunk {
  ids: readonly number[];
  /** How many of these tokens, from the first on, are words of a turn; the others belong to the template. */
  words: number;
  /** 2 × turn + 1 for the words of a turn, an even number for the template around them. */
  segment: number;
  /** Index of the first of these tokens among the turn's words. */
  step0: number;
  /** Whether a later word could still join this chunk. */
  open: boolean;
}

/** Heard words are cut before the first word after this many tokens, at the latest after twice as many. */
export const HEARD_CHUNK = 8;
export const TEMPLATE_CHUNK = 64;

export interface PlanInput {
  rendered: Rendered;
  turns: readonly Turn[];
  tokenizer: Tokenizer;
}

/** Segment of a turn's words. */
export function segmentOf(turn: number): number {
  return 2 * turn + 1;
}

export function planPrompt({ rendered, turns, tokenizer }: PlanInput): Chunk[] {
  const { ids, tokensBefore } = tokenise(rendered.text, tokenizer);
  const chunks: Chunk[] = [];
  let at = 0;
  const boundary = (end: number): number => Math.max(at, tokensBefore(end));
  const cut = (to: number, segment: number, size: number): void => {
    const part = ids.slice(at, to);
    const joined = segment % 2 === 0 ? joinRest(chunks, part) : 0;
    chunks.push(...cutEvery(part.slice(joined), segment, size));
    at = to;
  };
  for (const [turn, [start, end]] of [...rendered.ranges].sort(([a], [b]) => a - b)) {
    cut(boundary(start), segmentOf(turn) - 1, TEMPLATE_CHUNK);
    const to = boundary(end);
    if (turns[turn]?.who === 'self') cut(to, segmentOf(turn), 1);
    else {
      chunks.push(...cutHeard(ids.slice(at, to), segmentOf(turn), tokenizer));
      at = to;
    }
  }
  cut(ids.length, 2 * turns.length, TEMPLATE_CHUNK);
  return chunks;
}

interface Tokenised {
  ids: readonly number[];
  /** Number of tokens that the text up to a character shares with the whole text; called for increasing places. */
  tokensBefore(end: number): number;
}

/** Tokenises only the piece around a place again, so that a long dialogue is not tokenised once for each turn. */
function tokenise(text: string, tokenizer: Tokenizer): Tokenised {
  const pieces = tokenizer.encodePieces(text);
  let [piece, start, tokens] = [0, 0, 0];
  return {
    ids: pieces.flatMap(({ ids }) => ids),
    tokensBefore: (end) => {
      for (let next = pieces[piece]; next && start + next.text.length <= end; next = pieces[++piece]) {
        start += next.text.length;
        tokens += next.ids.length;
      }
      const split = pieces[piece];
      if (!split || start === end) return tokens;
      return tokens + commonLength(split.ids, tokenizer.encode(split.text.slice(0, end - start)));
    },
  };
}

/**
 * Runs the template's text after heard words together with the last of them.
 * @returns number of joined tokens
 */
function joinRest(chunks: Chunk[], template: readonly number[]): number {
  const last = chunks.at(-1);
  if (!last?.open || template.length > TEMPLATE_CHUNK) return 0;
  chunks[chunks.length - 1] = { ...last, ids: [...last.ids, ...template] };
  return template.length;
}

function cutEvery(ids: readonly number[], segment: number, size: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (let step0 = 0; step0 < ids.length; step0 += size) {
    const part = ids.slice(step0, step0 + size);
    chunks.push({ ids: part, words: segment % 2 === 1 ? part.length : 0, segment, step0, open: false });
  }
  return chunks;
}

/** The chunks of heard words. The last one is open: only another word closes it. */
function cutHeard(ids: readonly number[], segment: number, { startsWord }: Tokenizer): Chunk[] {
  const chunks: Chunk[] = [];
  let step0 = 0;
  for (const [i, id] of ids.entries()) {
    const size = i - step0;
    if (size < HEARD_CHUNK || (size < 2 * HEARD_CHUNK && !startsWord(id))) continue;
    chunks.push({ ids: ids.slice(step0, i), words: size, segment, step0, open: false });
    step0 = i;
  }
  const rest = ids.slice(step0);
  if (rest.length > 0) chunks.push({ ids: rest, words: rest.length, segment, step0, open: true });
  return chunks;
}

/**
 * The part of a reply's plan that can be computed while the words of `turn`, its last, still come.
 * @param wordFollows whether another word has begun, which closes a chunk that is long enough
 */
export function planAhead(plan: readonly Chunk[], turn: number, wordFollows: boolean): Chunk[] {
  const segment = segmentOf(turn);
  const ahead: Chunk[] = [];
  for (const chunk of plan) {
    if (chunk.segment > segment) break;
    const open = chunk.segment === segment && chunk.open;
    if (!open) ahead.push(chunk);
    else if (wordFollows && chunk.words >= HEARD_CHUNK)
      ahead.push({ ...chunk, ids: chunk.ids.slice(0, chunk.words), open: false });
  }
  return ahead;
}

/** Length of the common beginning of two lists. */
export function commonLength(a: readonly number[], b: readonly number[]): number {
  const limit = Math.min(a.length, b.length);
  let n = 0;
  while (n < limit && a[n] === b[n]) n++;
  return n;
}

export function countTokens(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { ids }) => sum + ids.length, 0);
}

/**
 * Number of common chunks at the beginning of two plans; only ids and cuts are compared, not whose words they are.
 */
export function commonChunks(a: readonly Chunk[], b: readonly Chunk[]): number {
  const limit = Math.min(a.length, b.length);
  let n = 0;
  while (n < limit && sameIds(a[n]?.ids ?? [], b[n]?.ids ?? [])) n++;
  return n;
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && commonLength(a, b) === a.length;
}
