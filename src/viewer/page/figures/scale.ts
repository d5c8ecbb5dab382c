/** One horizontal scale for all rungs, so that they can be compared. */
import type { Line } from './rung-figures.ts';

export interface Scale {
  width: number;
  /** Room for the names on the left. */
  label: number;
  low: number;
  high: number;
  ticks: number[];
  x(value: number): number;
}

/** Widths in pixels: of the figure and its p value on the right. */
export const VALUE_PX = 54;
export const P_PX = 68;

/** Of the names on the left: at least, and at most as a share of the whole. */
const LABEL_PX = 96;
const LABEL_SHARE = 0.36;
const LETTER_PX = 7.1;
const GAP_PX = 10;

/** @param names what stands at the left of the lines */
export function scaleOf(lines: readonly Line[], width: number, names: readonly string[] = []): Scale {
  const longest = Math.max(0, ...names.map(({ length }) => length));
  const label = Math.max(LABEL_PX, Math.min(LABEL_SHARE * width, LETTER_PX * longest + 2 * GAP_PX));
  const values = lines.flatMap(({ mark }) =>
    mark ? [...mark.nulls, ...(mark.at ? [mark.at.low, mark.at.high] : [])] : [],
  );
  const low = Math.max(-1, Math.min(-0.05, ...values));
  const most = Math.min(1, Math.max(0.3, ...values));
  const step = most - low > 0.8 ? 0.25 : 0.1;
  // The axis ends at a tick, so that no interval goes beyond the last number.
  const high = Math.ceil(most / step - 1e-9) * step;
  const span = Math.max(60, width - label - VALUE_PX - P_PX);
  const first = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.round(high / step) - first + 1 }, (_, at) => (first + at) * step);
  const x = (value: number): number =>
    label + (span * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
  return { width, label, low, high, ticks, x };
}

/** A direction that fits in its place: each name is shortened alike. */
export function fitting(direction: string, { label }: Pick<Scale, 'label'>): string {
  const most = Math.floor((label - GAP_PX) / LETTER_PX);
  if (direction.length <= most) return direction;
  const names = direction.split(' → ');
  const each = Math.max(2, Math.floor((most - 3 * (names.length - 1)) / names.length));
  return names.map((name) => (name.length <= each ? name : `${name.slice(0, each - 1)}…`)).join(' → ');
}
