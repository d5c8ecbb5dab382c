/**
 * Arranges the rows of a strict score in balanced blocks: for each scenario, the turns that all of its episodes reach.
 * Rows are ordered by scenario, episode and turn, so row start + e · turns + t of a block is turn t of its e-th
 * episode.
 *
 * An episode with fewer turn pairs than `shortest` is still running or broke off, and is left out. No other episode is
 * left out, since the choice must not depend on what was said.
 */
import { groupBy } from '../group-by.ts';
import { hashIntegers } from '../../numeric/random.ts';
import type { RowLabels } from '../types.ts';

export interface Minimums {
  samples: number;
  episodes: number;
  /** Number of scenarios with at least three episodes. */
  scenarios: number;
}

/** The rows of one scenario. */
export interface Block {
  /** Its label. */
  scenario: number;
  /** Its first row, among the rows in use. */
  start: number;
  episodes: number;
  turns: number;
}

export interface Blocks {
  /** Row numbers of the recording, block by block. */
  rows: Int32Array;
  blocks: Block[];
  episodes: number;
}

/** With two episodes, centring by scenario × turn leaves one degree of freedom: each row is minus the other. */
const FEWEST_EPISODES = 3;
/** With one turn pair, centring by episode leaves nothing. */
const FEWEST_TURNS = 2;

export interface BlockOptions {
  /** Turn pairs that an episode needs to be included; at least 2. */
  shortest?: number | undefined;
  /** Labels of scenarios to leave out. */
  without?: ReadonlySet<number>;
}

export function chooseBlocks(labels: RowLabels, { shortest = 0, without }: BlockOptions = {}): Blocks {
  const fewest = Math.max(FEWEST_TURNS, shortest);
  const scenarios = groupBy(labels.scenario.keys(), (row) => labels.scenario[row] as number);
  const rows: number[] = [];
  const blocks: Block[] = [];
  for (const [scenario, own] of [...scenarios].sort(([a], [b]) => a - b)) {
    const all = groupBy(own, (row) => labels.episode[row] as number);
    const long = [...all].filter(([, its]) => its.length >= fewest).sort(([a], [b]) => a - b);
    const block = balanced(
      long.map(([, its]) => its),
      labels.turn,
    );
    const turns = block[0]?.length ?? 0;
    if (without?.has(scenario) || block.length < FEWEST_EPISODES || turns < FEWEST_TURNS) continue;
    blocks.push({ scenario, start: rows.length, episodes: block.length, turns });
    for (const episode of block) rows.push(...episode);
  }
  const episodes = blocks.reduce((sum, block) => sum + block.episodes, 0);
  return { rows: Int32Array.from(rows), blocks, episodes };
}

/** For each episode, its rows of the turns that all episodes have, in order. */
function balanced(episodes: number[][], turn: Int32Array): number[][] {
  const reached = groupBy(episodes.flat(), (row) => turn[row] as number);
  return episodes.map((rows) =>
    rows
      .filter((row) => reached.get(turn[row] as number)?.length === episodes.length)
      .sort((a, b) => (turn[a] as number) - (turn[b] as number)),
  );
}

/** Why these rows give no score; undefined if they give one. */
export function tooFew({ rows, blocks, episodes }: Blocks, minimums: Minimums): string | undefined {
  const found = { samples: rows.length, episodes, scenarios: blocks.length };
  const names = {
    samples: 'turn pairs that every episode of their scenario reaches',
    episodes: 'episodes',
    scenarios: 'scenarios with at least three episodes',
  };
  for (const name of ['scenarios', 'samples', 'episodes'] as const) {
    if (found[name] < minimums[name])
      return `too few ${names[name]}: ${found[name]} can be used, ${minimums[name]} are needed`;
  }
  return blocks.length < 2 ? 'one scenario cannot be split into a training and a test part' : undefined;
}

const MOST_FOLDS = 10;

/** The blocks of each fold: scenarios, ordered by a hash of seed and label, are assigned to the folds in turn. */
export function foldsOf({ blocks }: Blocks, seed: number): number[][] {
  const rank = (at: number): number => hashIntegers(seed, (blocks[at] as Block).scenario);
  const order = [...blocks.keys()].sort((a, b) => rank(a) - rank(b));
  const count = Math.min(MOST_FOLDS, blocks.length);
  return Array.from({ length: count }, (_, fold) => order.filter((__, place) => place % count === fold));
}
