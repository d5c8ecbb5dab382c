/**
 * Permutations of a strict score: whole episodes of B exchanged within their scenario, turn by turn as far as both episodes go. A row whose
 * turn the other episode lacks drops out; the rows that stay are weighted so that the variance of the episode's sum of products is
 * what it was, which keeps the null as wide as the score with episodes of unequal length.
 */
import { groupBy } from './group-by.ts';
import { seededRandom, shuffled } from './random.ts';
import type { StrictRows } from './strict-rows.ts';

export interface Exchange {
  /** Row of B that stands at each row of A; −1: none. */
  partner: Int32Array;
  weight: Float64Array;
}

/** The first exchange is none at all, then `count` random ones. */
export function drawExchanges(rows: StrictRows, count: number, seed: number): Exchange[] {
  const random = seededRandom(seed, 3);
  const order = Array.from(rows.episode.keys());
  const episodes = [...groupBy(order, (row) => rows.episode[row] as number).values()];
  const scenarios = [...groupBy(episodes, ([row]) => rows.scenario[row as number]).values()];
  return Array.from({ length: count + 1 }, (_, draw) => {
    const exchange = {
      partner: new Int32Array(order.length).fill(-1),
      weight: new Float64Array(order.length),
    };
    for (const group of scenarios) {
      const others = draw === 0 ? group : shuffled(group, random);
      for (const [place, own] of group.entries())
        match(exchange, rows, { own, other: others[place] as number[] });
    }
    return exchange;
  });
}

function match(
  exchange: Exchange,
  rows: StrictRows,
  { own, other }: { own: number[]; other: number[] },
): void {
  const byTurn = new Map(other.map((row) => [rows.turn[row], row]));
  const shared = own.filter((row) => byTurn.has(rows.turn[row]));
  const m = shared.length;
  // Trace of the product of the two centring matrices over the shared turns: how much the sum of products can vary.
  const spread = m - m / own.length - m / other.length + (m * m) / (own.length * other.length);
  const weight = spread > 0 ? Math.sqrt((own.length - 1) / spread) : 0;
  for (const row of shared) {
    exchange.partner[row] = byTurn.get(rows.turn[row]) as number;
    exchange.weight[row] = weight;
  }
}
