/** Points in a frame with two axes: curves with their intervals, and points with names. */
import { placeLabels, type Label } from './place-labels.ts';
import { el, type Markup } from './svg.ts';

export interface Point {
  x: number;
  y: number;
  low?: number;
  high?: number;
  /** Written beside the point where there is room, and said when it is pointed at. */
  name?: string;
}

export interface Curve {
  name: string;
  /** A class that says the color, such as "hue-a". */
  color: string;
  points: readonly Point[];
  isJoined: boolean;
}

export interface Frame {
  title: string;
  xLabel: string;
  yLabel: string;
  /** Values named on the horizontal axis; by default round ones. */
  xTicks?: readonly number[];
  /** A range of heights that is shaded. */
  band?: { low: number; high: number };
}

const WIDTH = 460;
const HEIGHT = 250;
const LEFT = 52;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 44;
const MOST_TICKS = 7;

export function xyPlot(curves: readonly Curve[], { title, xLabel, yLabel, xTicks, band }: Frame): Markup {
  const points = curves.flatMap((curve) => curve.points);
  const xs = rangeOf(points.map(({ x }) => x));
  const ys = rangeOf([
    0,
    ...(band ? [band.low, band.high] : []),
    ...points.flatMap(({ y, low = y, high = y }) => [y, low, high]),
  ]);
  const at = {
    x: (value: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * (value - xs.low)) / (xs.high - xs.low),
    y: (value: number): number =>
      HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * (value - ys.low)) / (ys.high - ys.low),
  };
  const said = curves.map(
    (curve) =>
      `${curve.name}: ${curve.points.map(({ x, y }) => `${numberText(x)}: ${numberText(y)}`).join(', ')}`,
  );
  return el(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-label': `${title}. ${said.join('. ')}`,
    },
    band && bandOf(band, at),
    el('line', { class: 'zero', x1: LEFT, x2: WIDTH - RIGHT, y1: at.y(0), y2: at.y(0) }),
    axes({
      at,
      xTicks: xTicks ?? ticksOf(xs),
      yTicks: ticksOf(ys),
      xLabel,
      yLabel,
    }),
    curves.map((curve) => drawn(curve, at)),
  );
}

const bandOf = ({ low, high }: { low: number; high: number }, at: Place): Markup =>
  el('rect', {
    class: 'band',
    x: LEFT,
    width: WIDTH - LEFT - RIGHT,
    y: at.y(high),
    height: Math.max(2, at.y(low) - at.y(high)),
  });

interface Place {
  x(value: number): number;
  y(value: number): number;
}

function drawn({ name, color, points, isJoined }: Curve, at: Place): Markup {
  const line = points.map(({ x, y }) => `${at.x(x).toFixed(1)},${at.y(y).toFixed(1)}`).join(' ');
  const labels = placeLabels(
    points.map(({ x, y, name: label = '' }) => ({ x: at.x(x), y: at.y(y), name: label })),
    WIDTH,
  );
  return el(
    'g',
    { class: color },
    el('title', {}, name),
    isJoined ? el('polyline', { class: 'curve', points: line }) : undefined,
    points.map(({ x, y, low, high, name: label }) => [
      low === undefined || high === undefined
        ? undefined
        : el('line', {
            class: 'interval',
            x1: at.x(x),
            x2: at.x(x),
            y1: at.y(low),
            y2: at.y(high),
          }),
      el(
        'circle',
        { cx: at.x(x), cy: at.y(y), r: 4 },
        label === undefined ? undefined : el('title', {}, `${label}: ${numberText(x)}, ${numberText(y)}`),
      ),
    ]),
    labels.map((label) => label && labelOf(label)),
  );
}

const labelOf = ({ text, x, y, anchor }: Label): Markup =>
  el('text', { class: 'name', x, y, 'text-anchor': anchor }, text);

function axes(of: {
  at: Place;
  xTicks: readonly number[];
  yTicks: readonly number[];
  xLabel: string;
  yLabel: string;
}): Markup {
  const bottom = HEIGHT - BOTTOM;
  return el(
    'g',
    { class: 'axis' },
    el('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: bottom, y2: bottom }),
    el('line', { x1: LEFT, x2: LEFT, y1: TOP, y2: bottom }),
    of.xTicks.map((tick) =>
      el('text', { x: of.at.x(tick), y: bottom + 16, 'text-anchor': 'middle' }, numberText(tick)),
    ),
    of.yTicks.map((tick) =>
      el('text', { x: LEFT - 6, y: of.at.y(tick) + 4, 'text-anchor': 'end' }, numberText(tick)),
    ),
    el('text', { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 8, 'text-anchor': 'middle' }, of.xLabel),
    el(
      'text',
      {
        transform: `translate(12 ${(TOP + bottom) / 2}) rotate(-90)`,
        'text-anchor': 'middle',
      },
      of.yLabel,
    ),
  );
}

const numberText = (value: number): string => Number(value.toPrecision(3)).toString().replace('-', '−');

/** The range of the values with a margin; around one value a range of 1. */
function rangeOf(values: readonly number[]): { low: number; high: number } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = high > low ? (high - low) * 0.08 : 0.5;
  return { low: low - margin, high: high + margin };
}

/** Round values within a range. */
function ticksOf({ low, high }: { low: number; high: number }): number[] {
  const rough = (high - low) / MOST_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, at) =>
    Number(((first + at) * step).toPrecision(12)),
  );
}
