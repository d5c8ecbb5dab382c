/** What came of the episodes of each condition: means over scenarios, and live minus each other condition. */
import type { RunTalk } from '../process/run-folder/read-talk.ts';
import type { OutcomeLine } from '../protocol/outcomes.ts';
import {
  differenceOf,
  jackknife,
  meanOf,
  type Estimate,
  type Jackknifed,
} from '../synchrony/stats/jackknife.ts';

export interface OutcomeMean {
  /** Source and name, such as "rule success". */
  outcome: string;
  /** A condition, or "live − monologue". */
  of: string;
  episodes: number;
  scenarios: number;
  mean: number;
  /** Absent with fewer than two scenarios. */
  low?: number;
  high?: number;
  /** Of a difference being 0. */
  pValue?: number;
}

/** Values of one condition's episodes, by the scenario's number in the study: means over the agents of an episode. */
type Values = Map<number, number[]>;

export function outcomeMeans({ facts, episodes }: RunTalk, lines: readonly OutcomeLine[]): OutcomeMean[] {
  const known = new Map(episodes.map((episode) => [episode.id, episode]));
  const numbers = new Map(facts.study.scenarios.map(({ id }, at) => [id, at]));
  const outcomes = lines.filter((line) => line.type === 'outcome');
  const names = [...new Set(outcomes.map(({ source, name }) => `${source} ${name}`))].toSorted();
  return names.flatMap((outcome) => {
    const perEpisode = new Map<string, number[]>();
    for (const { source, name, episode, value } of outcomes)
      if (`${source} ${name}` === outcome)
        perEpisode.set(episode, [...(perEpisode.get(episode) ?? []), value]);
    const conditions = new Map<string, Values>();
    for (const [id, values] of perEpisode) {
      const episode = known.get(id);
      if (!episode) continue;
      const of = conditions.get(episode.condition) ?? new Map<number, number[]>();
      conditions.set(episode.condition, of);
      const scenario = numbers.get(episode.scenario) ?? -1;
      of.set(scenario, [...(of.get(scenario) ?? []), meanOf(values)]);
    }
    return [...meansOf(outcome, conditions), ...differencesOf(outcome, conditions)];
  });
}

const meansOf = (outcome: string, conditions: ReadonlyMap<string, Values>): OutcomeMean[] =>
  [...conditions].map(([of, values]) => {
    const mean = jackknifedOf(values);
    const { pValue: _, ...figure } = figureOf(mean.excess, jackknife([mean], meanOf));
    return { outcome, of, ...sizeOf(values), ...figure };
  });

function differencesOf(outcome: string, conditions: ReadonlyMap<string, Values>): OutcomeMean[] {
  const live = conditions.get('live');
  if (!live) return [];
  return [...conditions]
    .filter(([condition]) => condition !== 'live')
    .map(([condition, values]) => {
      const both = [jackknifedOf(live), jackknifedOf(values)];
      const mean = differenceOf(both.map(({ excess }) => excess));
      const size = sizeOf(
        new Map([...live].map(([key, own]) => [key, [...own, ...(values.get(key) ?? [])]])),
      );
      return {
        outcome,
        of: `live − ${condition}`,
        ...size,
        ...figureOf(mean, jackknife(both, differenceOf)),
      };
    });
}

function figureOf(
  mean: number,
  estimate: Estimate | { reason: string },
): Pick<OutcomeMean, 'mean' | 'low' | 'high' | 'pValue'> {
  // Without any variation between scenarios there is neither an interval nor a test.
  return 'reason' in estimate || estimate.low === estimate.high
    ? { mean }
    : { mean, low: estimate.low, high: estimate.high, pValue: estimate.pValue };
}

/** The mean over scenarios, and what it is without each. */
function jackknifedOf(values: Values): Jackknifed {
  const means = [...values].map(([scenario, own]) => ({
    scenario,
    mean: meanOf(own),
  }));
  return {
    excess: meanOf(means.map(({ mean }) => mean)),
    replicates: means.map(({ scenario }) => ({
      scenario,
      excess: meanOf(means.filter((one) => one.scenario !== scenario).map(({ mean }) => mean)),
    })),
  };
}

const sizeOf = (values: Values): Pick<OutcomeMean, 'episodes' | 'scenarios'> => ({
  episodes: [...values.values()].reduce((sum, own) => sum + own.length, 0),
  scenarios: values.size,
});
