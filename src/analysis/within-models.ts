/**
 * Do episodes with more synchrony come out better, where the models are the same? A slope over single episodes, with
 * means of models taken out of both sides and a random intercept for each scenario.
 */
import { groupBy } from '../synchrony/group-by.ts';
import { qValues } from '../synchrony/stats/false-discovery.ts';
import { mixedSlope } from '../synchrony/stats/mixed-slope.ts';
import type { Interval } from '../synchrony/types.ts';
import type { EpisodePoint } from './episode-points.ts';

export type WithinModels = { outcome: string; episodes: number; scenarios: number } & (
  { slope: number; interval: Interval; pValue: number; qValue: number } | { reason: string }
);

export function withinModels(episodes: readonly EpisodePoint[]): WithinModels[] {
  const outcomes = [...groupBy(episodes, ({ outcome }) => outcome)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const fits = outcomes.map(([outcome, own]) => {
    const points = [...groupBy(own, ({ models }) => models).values()].flatMap((group) => aroundMean(group));
    const about = {
      outcome,
      episodes: points.length,
      scenarios: new Set(own.map(({ scenario }) => scenario)).size,
    };
    return { about, fit: mixedSlope(points) };
  });
  const q = qValues(fits.flatMap(({ fit }) => ('reason' in fit ? [] : [fit.pValue])));
  return fits.map(({ about, fit }) => {
    if ('reason' in fit) return { ...about, reason: fit.reason };
    const { slope, interval, pValue } = fit;
    return { ...about, slope, interval, pValue, qValue: q.shift() as number };
  });
}

function aroundMean(group: readonly EpisodePoint[]): { x: number; y: number; group: string }[] {
  const x = centred(group.map(({ synchrony }) => synchrony));
  const y = centred(group.map(({ value }) => value));
  return group.map(({ models, scenario }, at) => ({
    x: x[at] as number,
    y: y[at] as number,
    group: `${models} ${scenario}`,
  }));
}

/** Without their mean; what is left by rounding alone is 0. */
function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const rounding = 1e-12 * Math.max(...values.map(Math.abs));
  return values.map((value) => (Math.abs(value - mean) <= rounding ? 0 : value - mean));
}
