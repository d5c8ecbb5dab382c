/** Chooses the next token from logits: repetition penalty, temperature, top-k, top-p, min-p, in that order. */
import type { Sampling } from '../../protocol/study.ts';

export interface Choice {
  sampling: Omit<Sampling, 'stops'>;
  /** Tokens of prompt and reply, for the repetition penalty; without tokens that end a turn. */
  seen: ReadonlySet<number>;
  /** Tokens that must not be chosen. */
  banned: ReadonlySet<number>;
  /** Uniform in [0, 1); called once for each choice, also a greedy one. */
  random: () => number;
}

/** Candidates with their weights, best first; `items` may be evaluated only as far as it is read. */
interface Pool {
  items: Iterable<Weighted>;
  /** Sum of the weights. */
  total: number;
}

interface Weighted {
  id: number;
  weight: number;
}

/** e^-25 of the best candidate's probability; below it a candidate cannot matter. */
const NEGLIGIBLE = 25;

/** @param logits [vocabulary], changed in place */
export function sampleToken(logits: Float32Array, choice: Choice): number {
  const drawn = choice.random();
  penalize(logits, choice);
  const best = indexOfLargest(logits);
  const { temperature } = choice.sampling;
  if (temperature === 0) return best;
  const floor = (logits[best] ?? 0) - NEGLIGIBLE * temperature;
  return draw(keep(rank(logits, { best, floor, temperature }), choice.sampling), drawn);
}

function penalize(logits: Float32Array, { sampling, seen, banned }: Choice): void {
  for (const id of banned) logits[id] = Number.NEGATIVE_INFINITY;
  if (sampling.repetitionPenalty === 1) return;
  for (const id of seen) {
    const logit = logits[id] ?? 0;
    logits[id] = logit > 0 ? logit / sampling.repetitionPenalty : logit * sampling.repetitionPenalty;
  }
}

function indexOfLargest(values: Float32Array): number {
  let best = 0;
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value > largest) {
      largest = value;
      best = i;
    }
  }
  return best;
}

function rank(
  logits: Float32Array,
  { best, floor, temperature }: { best: number; floor: number; temperature: number },
): Pool {
  const top = logits[best] ?? 0;
  const weigh = (id: number): number => Math.exp(((logits[id] as number) - top) / temperature);
  const near: number[] = [];
  const far: number[] = [];
  let sum = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (!(logit >= floor)) continue;
    (logit >= top - LIKELY * temperature ? near : far).push(id);
    sum += weigh(id);
  }
  return { items: bestFirst([near, far], logits, weigh), total: sum };
}

/** e^-6 of the best candidate's probability; candidates below it are ordered only when those above are used up. */
const LIKELY = 6;

/**
 * Items best first, equal ones by id, so that the order never depends on the JavaScript engine.
 * @param parts candidates; all of a part come before those of the next
 */
function* bestFirst(
  parts: readonly number[][],
  logits: Float32Array,
  weigh: (id: number) => number,
): Generator<Weighted, void> {
  for (const part of parts) yield* takeLargest(part, logits, weigh);
}

/** A heap: few candidates of a large vocabulary are read, and sorting all took longer than a pass of a small model. */
function* takeLargest(
  heap: number[],
  logits: Float32Array,
  weigh: (id: number) => number,
): Generator<Weighted, void> {
  const before = (a: number, b: number): boolean => {
    const difference = (logits[a] as number) - (logits[b] as number);
    return difference > 0 || (difference === 0 && a < b);
  };
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) siftDown(heap, i, before);
  while (heap.length > 0) {
    const id = heap[0] as number;
    yield { id, weight: weigh(id) };
    const last = heap.pop() as number;
    if (heap.length === 0) return;
    heap[0] = last;
    siftDown(heap, 0, before);
  }
}

function siftDown(heap: number[], start: number, before: (a: number, b: number) => boolean): void {
  const id = heap[start] as number;
  let at = start;
  for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && before(heap[child + 1] as number, heap[child] as number)) child++;
    if (!before(heap[child] as number, id)) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = id;
}

function keep(all: Pool, { topK, topP, minP }: Choice['sampling']): Pool {
  const some = topK > 0 ? cut(all, (_, n) => n < topK) : all;
  const enough = topP * some.total;
  const nucleus = topP < 1 ? cut(some, (sum) => sum < enough) : some;
  return minP > 0 ? cut(nucleus, (_, n, next) => n === 0 || next >= minP) : nucleus;
}

/** The best items, as long as `more` holds for the sum and number of those taken and the next weight. */
function cut(pool: Pool, more: (sum: number, taken: number, next: number) => boolean): Pool {
  const items: Weighted[] = [];
  let total = 0;
  for (const item of pool.items) {
    if (!more(total, items.length, item.weight)) break;
    items.push(item);
    total += item.weight;
  }
  return { items, total };
}

function draw({ items, total }: Pool, drawn: number): number {
  let rest = drawn * total;
  let id = 0;
  for (const item of items) {
    ({ id } = item);
    rest -= item.weight;
    if (rest < 0) break;
  }
  return id;
}
