/**
 * Surrogates of a stream of steps: copies that keep the stream's own rhythm and lose its relation to the
 * partner. The p-value is the share of surrogates whose measure lies at least as far from 0 as that of the
 * streams, which are counted in.
 * Formula: `shift` shifts B circularly by a number of steps, at least a tenth of them and more than a lagged
 * measure reaches; `phase` adds one random phase per frequency to all dims of B (an all-pass filter), which
 * keeps the spectra and what the dims share.
 * Shifts are drawn without replacement, since a shift drawn twice is no new evidence. If as many are asked for
 * as there are, or more, each is used once.
 * Range: p from 1 / (surrogates + 1) to 1.
 * Reference: Lancaster, Iatsenko, Pidde, Ticcinelli, Stefanovska, 2018; Prichard, Theiler, 1994; Phipson,
 * Smyth, 2010.
 * No null: the measure has no score, or no surrogate has one.
 */
import { shiftRows, zeros } from '../../numeric/matrix.ts';
import type { Measure, MeasureAnswer, MeasureOptions } from '../measures/measure.ts';
import { seededRandom, shuffled, type Random } from '../../numeric/random.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore } from '../types.ts';

export interface SurrogateOptions {
  kind: 'shift' | 'phase';
  count: number;
  seed: number;
  /** Called before each surrogate with its number and the number of all. */
  onDraw?(draw: number, count: number): void;
}

export interface SurrogateNull {
  pValue: number;
  /**
   * Size of the measure: its distance from 0; for a matrix, the largest entry between a channel of A and one of
   * B.
   */
  size: number;
  nullMean: number;
  nullQ95: number;
  /** Number of surrogates with a score. */
  count: number;
}

/** A size that differs only by rounding does not count as smaller. */
const ROUNDING = 1e-10;

/** The streams [steps, dims], whose rows belong to the same step, and the measure. */
export interface SurrogateInput {
  a: Matrix;
  b: Matrix;
  measure: Measure;
  options: MeasureOptions;
}

/** The measure of the streams, and its null. */
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

/**
 * The size of a measure, and those of its surrogates, all different; undefined for a surrogate without a score.
 */
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
  const shifted = kind === 'shift' ? await measure.shifted?.(a, b, options) : undefined;
  if (shifted && 'reason' in shifted) return shifted;
  const answer = shifted ? shifted(0) : await measure.compute(a, b, options);
  if ('reason' in answer) return answer;
  const random = seededRandom(seed, 6);
  const measured = async (other: Matrix): Promise<MeasureAnswer> => measure.compute(a, other, options);
  const sizes: (number | undefined)[] = [];
  const take = async (surrogate: Promise<MeasureAnswer> | MeasureAnswer): Promise<void> => {
    const found = await surrogate;
    sizes.push('reason' in found ? undefined : sizeOf(found));
  };
  if (kind === 'phase') {
    for (let draw = 0; draw < count; draw++) {
      onDraw?.(draw + 1, count);
      await take(measured(await phased(b, random, options.algebra)));
    }
    return { answer, size: sizeOf(answer), sizes };
  }
  const shifts = drawShifts(b.rows, { count, random, reach: measure.reach?.(b.rows, options) ?? 0 });
  if ('reason' in shifts) return shifts;
  for (const [draw, by] of shifts.entries()) {
    onDraw?.(draw + 1, shifts.length);
    await take(shifted ? shifted(by) : measured(shiftRows(b, by)));
  }
  return { answer, size: sizeOf(answer), sizes };
}

/** The null: mean, quantile and p-value from the sizes of the surrogates. */
export function nullOf(size: number, all: readonly (number | undefined)[]): SurrogateNull | NoScore {
  const sizes = all.filter((other) => other !== undefined);
  if (sizes.length === 0) return { reason: 'no surrogate has a score' };
  return {
    pValue: (1 + sizes.filter((other) => other >= size * (1 - ROUNDING)).length) / (1 + sizes.length),
    size,
    nullMean: sizes.reduce((sum, value) => sum + value, 0) / sizes.length,
    nullQ95: quantile(sizes, 0.95),
    count: sizes.length,
  };
}

/** Distance from 0; of a matrix, the largest entry between a channel of A and one of B. */
export function sizeOf(answer: Exclude<MeasureAnswer, NoScore>): number {
  if ('value' in answer) return Math.abs(answer.value);
  const { matrix, ofA } = answer;
  const { rows, data } = matrix;
  let largest = 0;
  for (let r = 0; r < ofA; r++)
    for (let c = ofA; c < rows; c++) largest = Math.max(largest, Math.abs(data[r * rows + c] as number));
  return largest;
}

/** Different shifts in random order: `count` of them, or all there are. */
function drawShifts(
  steps: number,
  { count, random, reach }: { count: number; random: Random; reach: number },
): number[] | NoScore {
  // A smaller shift would leave the coupling that the measure looks for.
  const least = Math.max(1, reach + 1, Math.floor(steps / 10));
  if (2 * least > steps)
    return { reason: `only ${steps} steps, surrogates that outreach the measure need ${2 * least}` };
  const all = Array.from({ length: steps - 2 * least + 1 }, (_, k) => least + k);
  return shuffled(all, random).slice(0, count);
}

function phased(m: Matrix, random: Random, algebra: LinearAlgebra): Promise<Matrix> {
  const phases = Float64Array.from(
    { length: Math.ceil(m.rows / 2) - 1 },
    () => 2 * Math.PI * random.uniform(),
  );
  return algebra.multiply(allPass(m.rows, phases), m);
}

/**
 * The circulant matrix [steps, steps] that adds a phase to each frequency k = 1, 2, … below steps / 2, and
 * keeps the mean and the highest frequency. First column: (1 + (−1)ᵗ for even steps + 2 Σ cos(2πkt / steps +
 * phase k)) / steps.
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

/** A quantile by linear interpolation between order statistics. */
function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (at - Math.floor(at)) * (high - low);
}
