/** Nulls made from a recording: the same turn pairs with the partner's side exchanged, so that no true coupling can be left. */
import { groupBy } from '../group-by.ts';
import { takeRows } from '../../numeric/matrix.ts';
import { seededRandom, shuffled } from '../../numeric/random.ts';
import type { TurnPairs } from '../types.ts';

/** Rows of one recording paired anew: row r takes A's side from source[r] and B's from target[r]. */
interface Pairing {
  source: number[];
  target: number[];
}

/** B's turns permuted within the episode: asks whether it is only the episode. */
export function shuffledPairs(pairs: TurnPairs, seed: number): TurnPairs {
  const random = seededRandom(seed, 1);
  const pairing: Pairing = { source: [], target: [] };
  for (const rows of rowsByEpisode(pairs).values()) {
    pairing.source.push(...rows);
    pairing.target.push(...shuffled(rows, random));
  }
  return pairAnew(pairs, pairing);
}

/** A of one episode with B of another of the same scenario and agents, turn by turn as far as both go: asks whether it is only the scenario. */
export function pseudoPairs(pairs: TurnPairs, seed: number): TurnPairs {
  const random = seededRandom(seed, 2);
  const episodes = [...rowsByEpisode(pairs).values()];
  const pairing: Pairing = { source: [], target: [] };
  const settings = groupBy(
    episodes,
    ([row]) => `${pairs.scenario[row as number]}:${pairs.pair[row as number]}`,
  );
  for (const group of settings.values()) {
    const order = shuffled(group, random);
    if (order.length < 2) continue;
    for (const [place, own] of order.entries()) {
      const other = order[(place + 1) % order.length] as number[];
      const byTurn = new Map(other.map((row) => [pairs.turn[row], row]));
      for (const row of own) pushPair(pairing, row, byTurn.get(pairs.turn[row]));
    }
  }
  return pairAnew(pairs, pairing);
}

/** A at turn t with B at turn t + lag, from pairs recorded at lag 1: asks whether it fades with time. */
export function lagPairs(pairs: TurnPairs, lag: number): TurnPairs {
  const pairing: Pairing = { source: [], target: [] };
  for (const rows of rowsByEpisode(pairs).values()) {
    const byTurn = new Map(rows.map((row) => [pairs.turn[row] as number, row]));
    for (const row of rows) pushPair(pairing, row, byTurn.get((pairs.turn[row] as number) + lag - 1));
  }
  return pairAnew(pairs, pairing);
}

function pushPair(pairing: Pairing, source: number, target: number | undefined): void {
  if (target === undefined) return;
  pairing.source.push(source);
  pairing.target.push(target);
}

function rowsByEpisode(pairs: TurnPairs): Map<number, number[]> {
  return groupBy(
    Array.from({ length: pairs.n }, (_, row) => row),
    (row) => pairs.episode[row] as number,
  );
}

function pairAnew(pairs: TurnPairs, pairing: Pairing): TurnPairs {
  const label = (of: Int32Array): Int32Array => Int32Array.from(pairing.source, (row) => of[row] as number);
  return {
    n: pairing.source.length,
    source: pairs.source.map((layer) => takeRows(layer, pairing.source)),
    target: pairs.target.map((layer) => takeRows(layer, pairing.target)),
    history: takeRows(pairs.history, pairing.source),
    reply: takeRows(pairs.reply, pairing.target),
    episode: label(pairs.episode),
    scenario: label(pairs.scenario),
    pair: label(pairs.pair),
    turn: label(pairs.turn),
  };
}
