/**
 * Reference implementations of every measure, written as plainly as the formula and slow. Streams are
 * [steps][dims].
 */

type Stream = number[][];
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: number[]): number => sum(values) / values.length;
const range = (n: number): number[] => Array.from({ length: n }, (_, k) => k);
const columnOf = (m: Stream, c: number): number[] => m.map((row) => row[c] as number);
const dot = (x: number[], y: number[]): number => sum(x.map((value, k) => value * (y[k] as number)));

function correlation(x: number[], y: number[]): number {
  const a = x.map((value) => value - mean(x));
  const b = y.map((value) => value - mean(y));
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

const centred = (m: Stream): Stream => {
  const means = range((m[0] as number[]).length).map((c) => mean(columnOf(m, c)));
  return m.map((row) => row.map((value, c) => value - (means[c] as number)));
};
const gram = (m: Stream): Stream => m.map((row) => m.map((other) => dot(row, other)));

function cka(a: Stream, b: Stream): number {
  const k = gram(centred(a)).flat();
  const l = gram(centred(b)).flat();
  return dot(k, l) / Math.sqrt(dot(k, k) * dot(l, l));
}

/** All ordered choices of four distinct steps. */
const quadruples = (n: number): number[][] =>
  range(n ** 4)
    .map((code) => [
      code % n,
      Math.floor(code / n) % n,
      Math.floor(code / n ** 2) % n,
      Math.floor(code / n ** 3),
    ])
    .filter((steps) => new Set(steps).size === 4);

/** HSIC over all quadruples of distinct steps: the definition of the unbiased estimator. */
function hsicByQuadruples(k: Stream, l: Stream): number {
  const at = (m: Stream, r: number, c: number): number => (m[r] as number[])[c] as number;
  return mean(
    quadruples(k.length).map((steps) => {
      const [i, j, q, r] = steps as [number, number, number, number];
      return at(k, i, j) * (at(l, i, j) + at(l, q, r) - 2 * at(l, i, q));
    }),
  );
}

function ckaUnbiased(a: Stream, b: Stream): number {
  const k = gram(centred(a));
  const l = gram(centred(b));
  return hsicByQuadruples(k, l) / Math.sqrt(hsicByQuadruples(k, k) * hsicByQuadruples(l, l));
}

function rsa(a: Stream, b: Stream): number {
  const triangle = (m: Stream): number[] =>
    m.flatMap((row, r) => m.slice(r + 1).map((other) => 1 - correlation(row, other)));
  const ranked = (values: number[]): number[] =>
    values.map(
      (value) =>
        values.filter((other) => other < value).length + values.filter((other) => other === value).length / 2,
    );
  return correlation(ranked(triangle(a)), ranked(triangle(b)));
}

const isc = (a: Stream, b: Stream): number =>
  Math.tanh(
    mean(
      range(Math.min((a[0] as number[]).length, (b[0] as number[]).length)).map((c) =>
        Math.atanh(correlation(columnOf(a, c), columnOf(b, c))),
      ),
    ),
  );

function xcorr(a: Stream, b: Stream): number {
  let best = 0;
  for (let lag = -10; lag <= 10; lag++) {
    const pairs = range(a.length).filter((t) => t + lag >= 0 && t + lag < b.length);
    const value = isc(
      pairs.map((t) => a[t] as number[]),
      pairs.map((t) => b[t + lag] as number[]),
    );
    if (Math.abs(value) > Math.abs(best)) best = value;
  }
  return best;
}

/** For one channel each and one past step: regressions solved by Cramer's rule. */
function granger(a: Stream, b: Stream): number {
  const before = (m: Stream): number[] => centred(m.slice(0, -1)).map((row) => row[0] as number);
  const now = centred(b.slice(1)).map((row) => row[0] as number);
  const own = before(b);
  const other = before(a);
  const rest = (fitted: number[]): number =>
    dot(
      now.map((value, k) => value - (fitted[k] as number)),
      now.map((value, k) => value - (fitted[k] as number)),
    );
  const alone = dot(own, now) / dot(own, own);
  const det = dot(own, own) * dot(other, other) - dot(own, other) ** 2;
  const x = (dot(own, now) * dot(other, other) - dot(other, now) * dot(own, other)) / det;
  const y = (dot(other, now) * dot(own, own) - dot(own, now) * dot(own, other)) / det;
  return Math.log(
    rest(own.map((value) => alone * value)) /
      rest(own.map((value, k) => x * value + y * (other[k] as number))),
  );
}

interface Complex {
  re: number[];
  im: number[];
}

/** The Hilbert transform as a sum over odd distances on the circle (even length). */
function analytic(signal: number[]): Complex {
  const n = signal.length;
  const im = range(n).map((t) =>
    sum(
      range(n)
        .filter((s) => (t - s) % 2 !== 0)
        .map((s) => ((signal[s] as number) * 2) / n / Math.tan((Math.PI * (t - s)) / n)),
    ),
  );
  return { re: signal, im };
}

const phase = (x: Complex): number[] => x.re.map((value, t) => Math.atan2(x.im[t] as number, value));
const size = (x: Complex): number[] => x.re.map((value, t) => Math.hypot(value, x.im[t] as number));
const circularMean = (angles: number[]): number =>
  Math.atan2(sum(angles.map(Math.sin)), sum(angles.map(Math.cos)));

function cross(x: Complex, y: Complex): Complex {
  const angle = phase(x).map((value, t) => value - (phase(y)[t] as number));
  const weight = size(x).map((value, t) => value * (size(y)[t] as number));
  return {
    re: angle.map((value, t) => (weight[t] as number) * Math.cos(value)),
    im: angle.map((value, t) => (weight[t] as number) * Math.sin(value)),
  };
}

const power = (x: Complex): number => sum(size(x).map((value) => value ** 2));
const coherence = (x: Complex, y: Complex, of: (re: number, im: number) => number): number =>
  of(sum(cross(x, y).re), sum(cross(x, y).im)) / Math.sqrt(power(x) * power(y));

function circular(x: Complex, y: Complex, centres: (p: number[], q: number[]) => [number, number]): number {
  const [m, n] = centres(phase(x), phase(y));
  const p = phase(x).map((angle) => Math.sin(angle - m));
  const q = phase(y).map((angle) => Math.sin(angle - n));
  return Math.abs(dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q)));
}

/** Half the mean sum plus and minus half the mean difference of the phases. */
function adjustedCentres(p: number[], q: number[]): [number, number] {
  const difference = circularMean(p.map((angle, t) => angle - (q[t] as number)));
  const total = circularMean(p.map((angle, t) => angle + (q[t] as number)));
  return [(total + difference) / 2, (total - difference) / 2];
}

const couplings: Record<string, (x: Complex, y: Complex) => number> = {
  plv: (x, y) => {
    const angle = phase(x).map((value, t) => value - (phase(y)[t] as number));
    return Math.hypot(mean(angle.map(Math.cos)), mean(angle.map(Math.sin)));
  },
  coh: (x, y) => coherence(x, y, Math.hypot),
  imcoh: (x, y) => coherence(x, y, (_, im) => Math.abs(im)),
  pli: (x, y) => Math.abs(mean(cross(x, y).im.map(Math.sign))),
  wpli: (x, y) => Math.abs(mean(cross(x, y).im)) / mean(cross(x, y).im.map(Math.abs)),
  ccorr: (x, y) => circular(x, y, (p, q) => [circularMean(p), circularMean(q)]),
  accorr: (x, y) => circular(x, y, adjustedCentres),
  envcorr: (x, y) => correlation(size(x), size(y)),
  powcorr: (x, y) =>
    correlation(
      size(x).map((value) => value ** 2),
      size(y).map((value) => value ** 2),
    ),
};

export const VALUE_TWINS: Record<string, (a: Stream, b: Stream) => number> = {
  cka,
  'cka-unbiased': ckaUnbiased,
  rsa,
  isc,
  xcorr,
  granger,
};

/** Coupling of A's first channel with B's first. */
export const COUPLING_TWINS = Object.fromEntries(
  Object.entries(couplings).map(([name, of]) => [
    name,
    (a: Stream, b: Stream) => of(analytic(columnOf(a, 0)), analytic(columnOf(b, 0))),
  ]),
);
