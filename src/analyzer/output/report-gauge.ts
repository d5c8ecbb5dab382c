/** Converts parts of a report to metric samples within a limit on the number of series. */

export type Labels = Record<string, string>;

export interface Sample {
  labels: Labels;
  value: number;
}

/** One gauge: its name and help, and how a part of the report fills it. */
export interface ReportGauge<T> {
  name: string;
  help: string;
  labelNames: string[];
  samples(part: T): Sample[];
}

/** One sample; none if there is no value. */
export function sample(labels: Labels, value: number | null | undefined): Sample[] {
  return value === null || value === undefined ? [] : [{ labels, value }];
}

export interface Shown<T> {
  shown: T[];
  series: number;
  dropped: number;
}

/** The parts that fit within the limit on series, in the given order, and the number of series that did not. */
export function underCap<T>(
  parts: readonly T[],
  gauges: readonly ReportGauge<T>[],
  maxSeries: number,
): Shown<T> {
  const shown: T[] = [];
  let series = 0;
  let dropped = 0;
  for (const part of parts) {
    const own = gauges.reduce((sum, gauge) => sum + gauge.samples(part).length, 0);
    if (series + own > maxSeries) dropped += own;
    else {
      series += own;
      shown.push(part);
    }
  }
  return { shown, series, dropped };
}
