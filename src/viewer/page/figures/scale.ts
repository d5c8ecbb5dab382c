/** One horizontal scale for all rungs, so that they can be compared. */
import type { Line } from './rung-figures.ts';

export interface Scale {
  width: number;
  low: number;
  high: number;
  ticks: number[];
  x(value: number): number;
}

/** Widths in pixels: of the names on the left, and of the figure and its p value on the right. */
export const LABEL_PX = 96;
export const VALUE_PX = 54;
export const P_PX = 68;

export function scaleOf(lines: readonly Line[], width: number): Scale {
  const values = lines.flatMap(({ mark }) =>
    mark ? [...mark.nulls, ...(mark.at ? [mark.at.low, mark.at.high] : [])] : [],
  );
  const low = Math.max(-1, Math.min(-0.05, ...values));
  const most = Math.min(1, Math.max(0.3, ...values));
  const step = most - low > 0.8 ? 0.25 : 0.1;
  // The axis ends at a tick, so that no interval goes beyond the last number.
  const high = Math.ceil(most / step - 1e-9) * step;
  const span = Math.max(60, width - LABEL_PX - VALUE_PX - P_PX);
  const first = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.round(high / step) - first + 1 }, (_, at) => (first + at) * step);
  const x = (value: number): number =>
    LABEL_PX + (span * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
  return { width, low, high, ticks, x };
}
