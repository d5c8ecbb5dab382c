/**
 * Analytic signals: for each channel the band-passed signal and its Hilbert transform, by discrete Fourier
 * transform: negative frequencies and everything outside the band are removed, positive frequencies doubled.
 * The ends of a window wrap around.
 *
 * The phase of a signal with an offset is that of the offset, so two such signals seem phase-locked. The
 * measures are defined for filtered signals, whose mean is 0 up to chance; those are used unchanged: |mean| ≤ 3
 * SD / √steps, which changes a coherence by at most 9 / (2 steps), less than its noise. A larger mean is
 * subtracted, with a warning.
 */
import { settledComponents } from '../../numeric/principal-components.ts';
import { zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore } from '../types.ts';
import {
  aligned,
  centreColumns,
  exponentOf,
  scaledBy,
  type MeasureAnswer,
  type MeasureOptions,
} from './measure.ts';

/** One channel, [steps] each. */
export interface Analytic {
  re: Float64Array;
  im: Float64Array;
}

const FEWEST_STEPS = 8;
/** Power of a channel in the band as a share of its total power below which it is rounding error. */
const SILENT = 1e-12;
/** Number of standard errors by which the mean of a filtered signal may differ from 0. */
const CHANCE_OFFSET = 3;

export function analyticSignal(signal: ArrayLike<number>, band?: [low: number, high: number]): Analytic {
  const n = signal.length;
  const [cosines, sines] = circle(n);
  const out = { re: new Float64Array(n), im: new Float64Array(n) };
  for (let k = 0; k <= n / 2; k++) {
    if (band !== undefined && (k / n < band[0] || k / n > band[1])) continue;
    let re = 0;
    let im = 0;
    for (let t = 0, at = 0; t < n; t++, at = (at + k) % n) {
      re += (signal[t] as number) * (cosines[at] as number);
      im -= (signal[t] as number) * (sines[at] as number);
    }
    // The zero and the highest frequency are their own mirror images.
    const weight = (k === 0 || 2 * k === n ? 1 : 2) / n;
    addWave(out, { re: re * weight, im: im * weight, k, cosines, sines });
  }
  return out;
}

interface Wave {
  re: number;
  im: number;
  k: number;
  cosines: Float64Array;
  sines: Float64Array;
}

function addWave(out: Analytic, { re, im, k, cosines, sines }: Wave): void {
  const n = out.re.length;
  for (let t = 0, at = 0; t < n; t++, at = (at + k) % n) {
    const c = cosines[at] as number;
    const s = sines[at] as number;
    out.re[t] = (out.re[t] as number) + re * c - im * s;
    out.im[t] = (out.im[t] as number) + re * s + im * c;
  }
}

function circle(n: number): [cosines: Float64Array, sines: Float64Array] {
  const angle = (_: unknown, t: number): number => (2 * Math.PI * t) / n;
  const angles = Float64Array.from({ length: n }, angle);
  return [angles.map(Math.cos), angles.map(Math.sin)];
}

/** The coupling of one pair of channels; undefined if a channel is silent in the band. */
export type Coupling = (x: Analytic, y: Analytic) => number | undefined;

/**
 * The matrix of couplings over the channels of A, then those of B; if `components` is set, over the leading
 * components of each.
 */
export async function couplingMatrix(
  streams: { a: Matrix; b: Matrix },
  options: MeasureOptions,
  coupling: Coupling,
): Promise<MeasureAnswer> {
  const ready = aligned(streams.a, streams.b, FEWEST_STEPS);
  if ('reason' in ready) return ready;
  const [ofA, ofB] = [await channelsOf(ready.a, options), await channelsOf(ready.b, options)];
  const over = overChannels(
    [...ofA, ...ofB].map(({ signal }) => signal),
    coupling,
  );
  if ('reason' in over) return over;
  const warnings = [...offsetWarning('A', ofA), ...offsetWarning('B', ofB)];
  return { ...over, ofA: ofA.length, ...(warnings.length > 0 ? { warnings } : {}) };
}

function offsetWarning(side: string, channels: Channel[]): string[] {
  const places = [...channels.keys()].filter((c) => channels[c]?.hadOffset === true);
  if (places.length === 0) return [];
  const which = places.length === 1 ? 'channel' : 'channels';
  return [`the mean of ${which} ${places.join(', ')} of ${side} was taken out: its phase is no rhythm`];
}

/** Every coupling here is symmetric, so each pair is computed once. */
export function overChannels(channels: Analytic[], coupling: Coupling): { matrix: Matrix } | NoScore {
  const matrix = zeros(channels.length, channels.length);
  if (channels.some(isSilent)) return { reason: 'a channel is silent in the band' };
  for (const [r, x] of channels.entries()) {
    for (let c = r; c < channels.length; c++) {
      const value = coupling(x, channels[c] as Analytic);
      if (value === undefined) return { reason: `channels ${r} and ${c} leave the measure undefined` };
      matrix.data[r * channels.length + c] = value;
      matrix.data[c * channels.length + r] = value;
    }
  }
  return { matrix };
}

interface Channel {
  signal: Analytic;
  hadOffset: boolean;
}

async function channelsOf(m: Matrix, options: MeasureOptions): Promise<Channel[]> {
  const { components, algebra, band } = options;
  const signals =
    components === undefined
      ? m
      : await settledComponents(await algebra.gram(centreColumns(m)), components, algebra);
  return Array.from({ length: signals.cols }, (_, c) => {
    const values = Float64Array.from(
      { length: m.rows },
      (__, r) => signals.data[r * signals.cols + c] as number,
    );
    return channelOf(values, band);
  });
}

/**
 * A channel scaled to a size near 1, without an offset larger than chance; all 0 if it is silent in the band.
 */
function channelOf(values: Float64Array, band: MeasureOptions['band']): Channel {
  const { centred, mean } = centre(values);
  const squares = centred.reduce((sum, value) => sum + value * value, 0);
  const hadOffset = Math.abs(mean) > (CHANCE_OFFSET * Math.sqrt(squares)) / values.length;
  const used = hadOffset ? centred : values;
  const scaled = scaledBy(used, -exponentOf(used));
  const signal = analyticSignal(scaled, band);
  const size = Math.max(...signal.re.map(Math.abs), ...signal.im.map(Math.abs));
  if (size > SILENT) return { signal, hadOffset };
  return { signal: { re: new Float64Array(values.length), im: new Float64Array(values.length) }, hadOffset };
}

/**
 * Subtracts the mean, computed from differences to the first value, since the mean of a constant would round.
 */
function centre(values: Float64Array): { centred: Float64Array; mean: number } {
  const first = values[0] as number;
  const rest = values.map((value) => value - first);
  const mean = rest.reduce((sum, value) => sum + value, 0) / values.length;
  return { centred: rest.map((value) => value - mean), mean: first + mean };
}

function isSilent({ re, im }: Analytic): boolean {
  const size = Math.max(...re.map(Math.abs), ...im.map(Math.abs));
  return (
    !(size > 0) ||
    re.every((value, t) => Math.abs(value - (re[0] as number)) + Math.abs(im[t] as number) <= SILENT * size)
  );
}

/** Phase in radians at every step. */
export function phases({ re, im }: Analytic): Float64Array {
  return re.map((value, t) => Math.atan2(im[t] as number, value));
}

/** Amplitude at every step. */
export function envelope({ re, im }: Analytic): Float64Array {
  return re.map((value, t) => Math.hypot(value, im[t] as number));
}

/** Imaginary part of x · conj(y) at every step; exactly 0 if x is y. */
export function imaginaryCross(x: Analytic, y: Analytic): Float64Array {
  return x.im.map((value, t) => value * (y.re[t] as number) - (x.re[t] as number) * (y.im[t] as number));
}

/** Cross-spectrum divided by the geometric mean of the powers. */
export function coherency(x: Analytic, y: Analytic): { re: number; im: number } {
  let re = 0;
  let im = 0;
  let powerX = 0;
  let powerY = 0;
  for (let t = 0; t < x.re.length; t++) {
    const [a, b, c, d] = [x.re[t], x.im[t], y.re[t], y.im[t]] as [number, number, number, number];
    re += a * c + b * d;
    im += b * c - a * d;
    powerX += a * a + b * b;
    powerY += c * c + d * d;
  }
  const scale = Math.sqrt(powerX * powerY);
  return { re: re / scale, im: im / scale };
}

/** Σ x y / √(Σ x² Σ y²); undefined if one side is all 0. */
export function uncentredCorrelation(x: Float64Array, y: Float64Array): number | undefined {
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (const [t, value] of x.entries()) {
    const other = y[t] as number;
    xy += value * other;
    xx += value * value;
    yy += other * other;
  }
  const scale = Math.sqrt(xx * yy);
  return scale > 0 ? xy / scale : undefined;
}
