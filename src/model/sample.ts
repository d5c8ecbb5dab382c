/** Chooses the next token from logits: repetition penalty, temperature, top-k, top-p, min-p, in that order. */
import type { Sampling } from '../protocol/study.ts';

export interface Choice {
  sampling: Sampling;
  /** Tokens of prompt and reply, for the repetition penalty; tokens that end a turn are best left out. */
  seen: ReadonlySet<number>;
  /** Tokens that must not be chosen. */
  banned: ReadonlySet<number>;
  /** Uniform in [0, 1); one number is drawn for each choice, also for a greedy one. */
  random: () => number;
}

interface Candidate {
  id: number;
  logit: number;
}

/** e^-25 of the best one's probability: below it a candidate cannot matter. */
const NEGLIGIBLE = 25;

/** @param logits [vocabulary], changed in place */
export function sampleToken(logits: Float32Array, choice: Choice): number {
  const drawn = choice.random();
  penalize(logits, choice);
  const best = indexOfLargest(logits);
  const { temperature } = choice.sampling;
  if (temperature === 0) return best;
  const floor = (logits[best] ?? 0) - NEGLIGIBLE * temperature;
  const candidates = keep(toProbabilities(collect(logits, floor), temperature), choice.sampling);
  return draw(candidates, drawn);
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

/** Best first; equal ones by id, so that the order never depends on the engine. */
function collect(logits: Float32Array, floor: number): Candidate[] {
  const candidates: Candidate[] = [];
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (logit >= floor) candidates.push({ id, logit });
  }
  return candidates.sort((a, b) => b.logit - a.logit || a.id - b.id);
}

interface Weighted {
  id: number;
  weight: number;
}

function toProbabilities(candidates: readonly Candidate[], temperature: number): Weighted[] {
  const top = candidates[0]?.logit ?? 0;
  return candidates.map(({ id, logit }) => ({ id, weight: Math.exp((logit - top) / temperature) }));
}

function keep(weighted: Weighted[], { topK, topP, minP }: Sampling): Weighted[] {
  const some = topK > 0 ? weighted.slice(0, topK) : weighted;
  const nucleus = topP < 1 ? some.slice(0, nucleusSize(some, topP)) : some;
  const least = minP * (nucleus[0]?.weight ?? 0);
  return minP > 0 ? nucleus.filter(({ weight }) => weight >= least) : nucleus;
}

/** The smallest number of best candidates whose share is at least `topP`. */
function nucleusSize(weighted: readonly Weighted[], topP: number): number {
  const enough = topP * total(weighted);
  let sum = 0;
  for (const [i, { weight }] of weighted.entries()) {
    sum += weight;
    if (sum >= enough) return i + 1;
  }
  return weighted.length;
}

function total(weighted: readonly Weighted[]): number {
  return weighted.reduce((sum, { weight }) => sum + weight, 0);
}

function draw(weighted: readonly Weighted[], drawn: number): number {
  let rest = drawn * total(weighted);
  for (const { id, weight } of weighted) {
    rest -= weight;
    if (rest < 0) return id;
  }
  return weighted.at(-1)?.id ?? 0;
}
