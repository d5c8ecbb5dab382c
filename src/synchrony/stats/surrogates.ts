/**
 * Surrogates of a stream of steps: what a measure gives where the stream keeps its own rhythm and loses its partner's. The p-value is the
 * share of surrogates, the streams as they are counted in, that lie as far from 0 as the measure.
 * Formula: `shift` turns B round by a random number of steps, at least a tenth of them and more than a lagged measure reaches; `phase` adds one random phase per frequency to all
 * dims of B, an all-pass filter, so spectra and what the dims share among themselves stay.
 * Range: p from 1 / (count + 1) to 1.
 * Reference: Lancaster, Iatsenko, Pidde, Ticcinelli, Stefanovska, 2018; Prichard, Theiler, 1994.
 * No null: the measure has no score, or no surrogate has one.
 */
import { quantile } from './bootstrap.ts';
import { turnRows, zeros } from '../../numeric/matrix.ts';
import type { Measure, MeasureAnswer, MeasureOptions } from '../measures/measure.ts';
import { seededRandom, type Random } from '../../numeric/random.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore } from '../types.ts';

export interface SurrogateOptions {
  kind: 'shift' | 'phase';
  count: number;
  seed: number;
  /** Told before each of them: the how manieth of how many. */
  onDraw?(draw: number, count: number): void;
}

export interface SurrogateNull {
  pValue: number;
  /** Of the size of the measure: its distance from 0; of a matrix, the largest between a channel of A and one of B. */
  size: number;
  nullMean: number;
  nullQ95: number;
  /** Surrogates that have a score. */
  count: number;
}

/** What is measured: the streams [steps, dims] row by row at the same time, and how. */
export interface SurrogateInput {
  a: Matrix;
  b: Matrix;
  measure: Measure;
  options: MeasureOptions;
}

/** The measure of the streams as they are, beside its null. */
export async function surrogateNull(
  input: SurrogateInput,
  options: SurrogateOptions,
): Promise<(SurrogateNull & Pick<SurrogateSizes, 'answer'>) | NoScore> {
  const found = await surrogateSizes(input, options);
  if ('reason' in found) return found;
  const { answer, size, sizes } = found;
  const beside = nullOf(size, sizes);
  return 'reason' in beside ? beside : { answer, ...beside };
}

/** A measure's size beside those of its surrogates; a surrogate without a score has none. */
export interface SurrogateSizes {
  answer: Exclude<MeasureAnswer, NoScore>;
  size: number;
  sizes: (number | undefined)[];
}

export async function surrogateSizes(
  input: SurrogateInput,
  { kind, count, seed, onDraw }: SurrogateOptions,
): Promise<SurrogateSizes | NoScore> {
  const { a, b, measure, options } = input;
  const turned = kind === 'shift' ? await measure.turned?.(a, b, options) : undefined;
  if (turned && 'reason' in turned) return turned;
  const answer = turned ? turned(0) : await measure.compute(a, b, options);
  if ('reason' in answer) return answer;
  const random = seededRandom(seed, 6);
  const least = leastShift(b.rows, (measure.reach?.(b.rows, options) ?? 0) + 1);
  if (kind === 'shift' && 2 * least > b.rows)
    return { reason: `only ${b.rows} steps, surrogates that outreach the measure need ${2 * least}` };
  const sizes: (number | undefined)[] = [];
  for (let draw = 0; draw < count; draw++) {
    onDraw?.(draw + 1, count);
    const surrogate = turned
      ? turned(drawShift(b.rows, { random, least }))
      : await measure.compute(a, await drawSurrogate(b, { kind, random, least, options }), options);
    sizes.push('reason' in surrogate ? undefined : sizeOf(surrogate));
  }
  return { answer, size: sizeOf(answer), sizes };
}

function drawSurrogate(
  b: Matrix,
  by: { kind: SurrogateOptions['kind']; random: Random; least: number; options: MeasureOptions },
): Promise<Matrix> {
  const { kind, random, least, options } = by;
  if (kind === 'phase') return phased(b, random, options.algebra);
  return Promise.resolve(turnRows(b, drawShift(b.rows, { random, least })));
}

/** What the sizes of surrogates say of a size. */
export function nullOf(size: number, all: readonly (number | undefined)[]): SurrogateNull | NoScore {
  const sizes = all.filter((other) => other !== undefined);
  if (sizes.length === 0) return { reason: 'no surrogate has a score' };
  return {
    pValue: (1 + sizes.filter((other) => other >= size).length) / (1 + sizes.length),
    size,
    nullMean: sizes.reduce((sum, value) => sum + value, 0) / sizes.length,
    nullQ95: quantile(sizes, 0.95),
    count: sizes.length,
  };
}

function sizeOf(answer: Exclude<MeasureAnswer, NoScore>): number {
  if ('value' in answer) return Math.abs(answer.value);
  const { matrix, ofA } = answer;
  const { rows, data } = matrix;
  let largest = 0;
  for (let r = 0; r < ofA; r++)
    for (let c = ofA; c < rows; c++) largest = Math.max(largest, Math.abs(data[r * rows + c] as number));
  return largest;
}

/** A tenth of the steps, and more than the measure reaches: a smaller turn would leave it what it looks for. */
function leastShift(steps: number, wanted: number): number {
  return Math.max(1, wanted, Math.floor(steps / 10));
}

function drawShift(steps: number, { random, least }: { random: Random; least: number }): number {
  return least + random.below(Math.max(1, steps - 2 * least + 1));
}

function phased(m: Matrix, random: Random, algebra: LinearAlgebra): Promise<Matrix> {
  const phases = Float64Array.from(
    { length: Math.ceil(m.rows / 2) - 1 },
    () => 2 * Math.PI * random.uniform(),
  );
  return algebra.multiply(allPass(m.rows, phases), m);
}

/**
 * The circulant [steps, steps] that adds a phase to each frequency k = 1, 2, … below steps / 2; the mean and the highest frequency stay.
 * First column: (1 + (−1)ᵗ for even steps + 2 Σ cos(2πkt / steps + phase k)) / steps.
 */
export function allPass(steps: number, phases: ArrayLike<number>): Matrix {
  const column = Float64Array.from({ length: steps }, (_, t) => {
    let sum = 1 + (steps % 2 === 0 ? (-1) ** t : 0);
    for (let k = 1; k <= phases.length; k++)
      sum += 2 * Math.cos((2 * Math.PI * ((k * t) % steps)) / steps + (phases[k - 1] as number));
    return sum / steps;
  });
  const out = zeros(steps, steps);
  for (let r = 0; r < steps; r++)
    for (let c = 0; c < steps; c++) out.data[r * steps + c] = column[(r - c + steps) % steps] as number;
  return out;
}
