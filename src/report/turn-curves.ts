/** Synchrony over the turns of a dialogue, and over pairs of layers, from the secondary analyses of a run. */
import type { RunTalk } from '../process/run-folder/read-talk.ts';
import type { LayerMapReport } from '../protocol/reports/score-report.ts';
import { jackknife, meanOf } from '../synchrony/stats/jackknife.ts';

export interface TurnCurve {
  condition: string;
  /** Names of the predicting and the predicted model. */
  models: [string, string];
  sourceRole: number;
  targetRole: number;
  /** R² at each source turn, counted from 1: mean over scenarios, with the interval by the jackknife over them. */
  points: { turn: number; value: number; low?: number; high?: number }[];
  /** Mean over all permutations of the episodes: what each turn has where there is nothing. */
  nullMean: number;
}

export interface MappedGroup {
  condition: string;
  models: [string, string];
  sourceRole: number;
  targetRole: number;
  layerMap: LayerMapReport;
}

export function turnCurves({ episodes }: RunTalk, groups: readonly MappedGroup[]): TurnCurve[] {
  const scenarios = new Map(episodes.map(({ id, scenario }) => [id, scenario]));
  return groups.flatMap(({ layerMap: { nulls, turns }, ...group }) => {
    const places = Object.entries(turns).flatMap(([episode, parts]) =>
      Object.entries(parts).map(([turn, part]) => ({
        turn: Number(turn),
        scenario: scenarios.get(episode) ?? '',
        part,
      })),
    );
    if (places.length === 0) return [];
    const numbers = [...new Set(places.map(({ turn }) => turn))].toSorted((a, b) => a - b);
    const points = numbers.map((turn) => {
      const own = places.filter((place) => place.turn === turn);
      // Parts add up to the mean of the map over all turn pairs.
      return { turn: turn + 1, ...overScenarios(own, places.length) };
    });
    return [{ ...group, points, nullMean: meanOf(nulls.flat()) }];
  });
}

function overScenarios(
  places: readonly { scenario: string; part: number }[],
  all: number,
): { value: number; low?: number; high?: number } {
  const names = [...new Set(places.map(({ scenario }) => scenario))];
  const means = names.map((name) =>
    meanOf(places.filter(({ scenario }) => scenario === name).map(({ part }) => part * all)),
  );
  const value = meanOf(means);
  const replicates = means.map((_, scenario) => ({
    scenario,
    excess: meanOf(means.filter((_mean, at) => at !== scenario)),
  }));
  const estimate = jackknife([{ excess: value, replicates }], meanOf);
  return 'reason' in estimate ? { value } : { value, low: estimate.low, high: estimate.high };
}
