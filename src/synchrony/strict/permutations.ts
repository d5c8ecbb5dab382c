/**
 * Permutations of a strict score: whole episodes of B exchanged within their scenario, turn by turn as far as both episodes go. A row whose
 * turn the other episode lacks drops out; the rows that stay are weighted so that the variance of the episode's sum of products is
 * what it was, which keeps the null as wide as the score with episodes of unequal length. Many episodes of a scenario are exchanged
 * in blocks of like length, so that there are few pairs of episodes to work out beforehand.
 */
import { groupBy } from '../group-by.ts';
import { hashIntegers, seededRandom, shuffled } from '../../numeric/random.ts';
import type { StrictRows } from './rows.ts';

/** One episode of A beside one that B may come from: the rows of equal turn. */
export interface Match {
  own: Int32Array;
  partner: Int32Array;
  weight: number;
}

export interface Exchanges {
  /** Episodes that are exchanged among themselves; each is in one block. */
  blocks: number[][];
  /** Per episode: every episode of its block that B may come from. */
  matches: Match[][];
  /** Per exchange and episode: which of them it is. The first exchange is none at all. */
  choices: Uint8Array[];
}

const LARGEST_BLOCK = 6;

/** `count` random exchanges, after the one that leaves everything as it is. */
export function drawExchanges(rows: StrictRows, count: number, seed: number): Exchanges {
  const random = seededRandom(seed, 3);
  const members = groupBy(rows.episode.keys(), (row) => rows.episode[row] as number);
  const blocks = [
    ...groupBy(members.keys(), (episode) => scenarioOf(rows, members.get(episode))).values(),
  ].flatMap((episodes) => cutIntoBlocks(episodes, members, seed));
  const matches: Match[][] = Array.from({ length: rows.episodes }, () => []);
  const places = new Map<number, number>();
  for (const block of blocks) {
    for (const [place, episode] of block.entries()) {
      places.set(episode, place);
      const own = members.get(episode) as number[];
      matches[episode] = block.map((other) => match(rows, own, members.get(other) as number[]));
    }
  }
  const choices = Array.from({ length: count + 1 }, (_, draw) => {
    const choice = new Uint8Array(rows.episodes);
    for (const block of blocks) {
      const order = draw === 0 ? block : shuffled(block, random);
      for (const [place, episode] of block.entries())
        choice[episode] = places.get(order[place] as number) as number;
    }
    return choice;
  });
  return { blocks, matches, choices };
}

function scenarioOf(rows: StrictRows, members: number[] | undefined): number {
  return rows.scenario[members?.[0] as number] as number;
}

/** Episodes of one scenario in blocks of about equal size, neighbours in length together. */
function cutIntoBlocks(episodes: number[], members: Map<number, number[]>, seed: number): number[][] {
  const length = (episode: number): number => members.get(episode)?.length ?? 0;
  const order = episodes.toSorted(
    (a, b) => length(a) - length(b) || hashIntegers(seed, a) - hashIntegers(seed, b),
  );
  const count = Math.ceil(order.length / LARGEST_BLOCK);
  const cut = (block: number): number => Math.round((block * order.length) / count);
  return Array.from({ length: count }, (_, block) => order.slice(cut(block), cut(block + 1)));
}

function match(rows: StrictRows, own: number[], other: number[]): Match {
  const byTurn = new Map(other.map((row) => [rows.turn[row], row]));
  const shared = own.filter((row) => byTurn.has(rows.turn[row]));
  const m = shared.length;
  // Trace of the product of the two centring matrices over the shared turns: how much the sum of products can vary.
  const spread = m - m / own.length - m / other.length + (m * m) / (own.length * other.length);
  return {
    own: Int32Array.from(shared),
    partner: Int32Array.from(shared, (row) => byTurn.get(rows.turn[row]) as number),
    weight: spread > 0 ? Math.sqrt((own.length - 1) / spread) : 0,
  };
}
