/** One horizontal scale for all rungs, so that they can be compared. */
import type { Line } from './rung-figures.ts';

export interface Scale {
  width: number;
  low: number;
  high: number;
  ticks: number[];
  x(value: number): number;
}

/** Widths in pixels: of the names on the left, and of the figure on the right. */
export const LABEL_PX = 112;
export const VALUE_PX = 62;

export function scaleOf(lines: readonly Line[], width: number): Scale {
  const values = lines.flatMap(({ mark }) =>
    mark ? [...mark.nulls, ...(mark.at ? [mark.at.low, mark.at.high] : [])] : [],
  );
  const low = Math.max(-1, Math.min(-0.05, ...values));
  const high = Math.min(1, Math.max(0.3, ...values)) + 0.02;
  const span = Math.max(60, width - LABEL_PX - VALUE_PX);
  const step = high - low > 0.8 ? 0.25 : 0.1;
  const first = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, at) => (first + at) * step);
  const x = (value: number): number =>
    LABEL_PX + (span * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
  return { width, low, high, ticks, x };
}
