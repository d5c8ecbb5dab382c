/**
 * Nulls made from a recording: the same turn pairs with another partner's state or another turn, so that no
 * coupling remains.
 */
import { groupBy } from '../group-by.ts';
import { takeRows } from '../../numeric/matrix.ts';
import { seededRandom, shuffled } from '../../numeric/random.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { TurnPairs } from '../types.ts';

/** A new pairing of the rows: row r takes A's side from source[r] and B's from target[r]. */
interface Pairing {
  source: number[];
  target: number[];
}

/** The `shuffled` null: B's turns permuted within the episode. It shows what the episode alone gives. */
export function shuffledPairs(pairs: TurnPairs, seed: number): TurnPairs {
  const random = seededRandom(seed, 1);
  const pairing: Pairing = { source: [], target: [] };
  for (const rows of rowsByEpisode(pairs).values()) {
    pairing.source.push(...rows);
    pairing.target.push(...shuffled(rows, random));
  }
  return pairAnew(pairs, pairing);
}

/**
 * The `pseudo` null: A of one episode with B of another one of the same scenario and agents, turn by turn over
 * the shorter length. It shows what the scenario alone gives.
 */
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

/** The text features of A's prompt in place of A's states: what the words alone give. */
export const textPairs = (pairs: TurnPairs): TurnPairs => ({ ...pairs, source: [pairs.history] });

/** A at turn t with B at turn t + lag, from pairs recorded at lag 1. It shows whether the effect fades. */
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
  let history: Matrix | undefined;
  let reply: Matrix | undefined;
  return {
    n: pairing.source.length,
    source: pairs.source.map((layer) => takeRows(layer, pairing.source)),
    target: pairs.target.map((layer) => takeRows(layer, pairing.target)),
    // Few nulls use the text features.
    get history() {
      return (history ??= takeRows(pairs.history, pairing.source));
    },
    get reply() {
      return (reply ??= takeRows(pairs.reply, pairing.target));
    },
    episode: label(pairs.episode),
    scenario: label(pairs.scenario),
    ...(pairs.setting ? { setting: label(pairs.setting) } : {}),
    pair: label(pairs.pair),
    turn: label(pairs.turn),
  };
}
