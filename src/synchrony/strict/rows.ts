/**
 * Which rows a strict score may use, and on which side each scenario stands. An episode with a single row and a turn that few episodes
 * reach cannot have their mean taken out, and an episode that is alone in its scenario has none to be exchanged with, so they are left out;
 * a scenario's fold is a hash of the seed and its number alone, so it never
 * moves while a recording grows.
 */
import { groupBy } from '../group-by.ts';
import { hashIntegers } from '../../numeric/random.ts';
import type { RowLabels } from '../types.ts';

export interface Minimums {
  samples: number;
  episodes: number;
  /** With at least two episodes. */
  scenarios: number;
}

/** Rows in order of scenario, episode and turn; `labels` belong to them and count from 0. */
export interface StrictRows {
  /** Row numbers of the recording. */
  rows: Int32Array;
  scenario: Int32Array;
  episode: Int32Array;
  turn: Int32Array;
  fold: Int32Array;
  scenarios: number;
  episodes: number;
  turns: number;
  folds: number;
  /** Scenario numbers as they came in. */
  scenarioNames: number[];
}

const FOLDS = 10;
const FEWEST_EPISODES_PER_TURN = 4;

export function chooseRows(labels: RowLabels, seed: number): StrictRows {
  let rows = Array.from(labels.episode.keys());
  for (let before = -1; before !== rows.length;) {
    before = rows.length;
    const turns = groupBy(rows, (row) => labels.turn[row]);
    rows = rows.filter((row) => (turns.get(labels.turn[row])?.length ?? 0) >= FEWEST_EPISODES_PER_TURN);
    const episodes = groupBy(rows, (row) => labels.episode[row]);
    rows = rows.filter((row) => (episodes.get(labels.episode[row])?.length ?? 0) > 1);
    const scenarios = groupBy(rows, (row) => labels.scenario[row]);
    rows = rows.filter((row) => episodesIn(scenarios.get(labels.scenario[row]), labels) > 1);
  }
  const scenarioNames = [...new Set(rows.map((row) => labels.scenario[row] as number))];
  const foldOf = scenarioNames.map((name) => hashIntegers(seed, name) % FOLDS);
  const place = new Map(scenarioNames.map((name, index) => [name, index]));
  const scenarioAt = (row: number): number => place.get(labels.scenario[row] as number) as number;
  const at = (of: Int32Array, row: number): number => of[row] as number;
  rows.sort(
    (a, b) =>
      scenarioAt(a) - scenarioAt(b) ||
      at(labels.episode, a) - at(labels.episode, b) ||
      at(labels.turn, a) - at(labels.turn, b),
  );
  const episode = countFrom0(rows.map((row) => at(labels.episode, row)));
  const turn = countFrom0(rows.map((row) => at(labels.turn, row)));
  const scenario = Int32Array.from(rows, scenarioAt);
  return {
    rows: Int32Array.from(rows),
    scenario,
    episode,
    turn,
    fold: scenario.map((index) => foldOf[index] as number),
    scenarios: scenarioNames.length,
    episodes: new Set(episode).size,
    turns: new Set(turn).size,
    folds: new Set(foldOf).size,
    scenarioNames,
  };
}

function episodesIn(rows: number[] = [], labels: RowLabels): number {
  return new Set(rows.map((row) => labels.episode[row])).size;
}

function countFrom0(values: number[]): Int32Array {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const rank = new Map(sorted.map((value, index) => [value, index]));
  return Int32Array.from(values, (value) => rank.get(value) as number);
}

/** Why there is no number from these rows, or undefined. */
export function tooFew(rows: StrictRows, minimums: Minimums): string | undefined {
  const found = { samples: rows.rows.length, episodes: rows.episodes, scenarios: rows.scenarios };
  const names = {
    samples: 'samples',
    episodes: 'episodes',
    scenarios: 'scenarios with at least two episodes',
  };
  for (const name of ['scenarios', 'samples', 'episodes'] as const) {
    if (found[name] < minimums[name])
      return `too few ${names[name]}: ${found[name]} can be used, ${minimums[name]} are needed`;
  }
  if (rows.folds < 2) return 'the scenarios cannot be split into a training and a test part';
  return undefined;
}
