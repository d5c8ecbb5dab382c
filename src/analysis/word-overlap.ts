/**
 * How much a reply takes up the words of the utterance before it, beyond what the scenario gives: a rival of
 * synchrony that needs no hidden state.
 * Formula: for a reply u at turn t of episode e, c(e′) is the share of the distinct words of u that stand in the
 * utterance of turn t − 1 of episode e′. Its overlap is c(e) minus the mean of c(e′) over the other episodes of the
 * same scenario, condition and models that reach turn t − 1.
 * Range: −1 to 1; 0 where the partner's words make no difference.
 * Reference: Danescu-Niculescu-Mizil, Lee, Pang, Kleinberg, 2012 (coordination as a difference of probabilities).
 * No number: an empty reply or utterance, or no other episode that reaches the turn.
 */
import type { TalkEpisode } from '../process/run-folder/read-talk.ts';
import { wordsOf } from '../process/run-folder/words-of.ts';
import { groupBy } from '../synchrony/group-by.ts';

export interface Overlap {
  episode: TalkEpisode;
  /** Who spoke before, and who replied. */
  source: string;
  target: string;
  value: number;
}

/** @param peersOf a key that episodes share which are alike but for their words */
export function wordOverlaps(
  episodes: readonly TalkEpisode[],
  peersOf: (episode: TalkEpisode) => string,
): Overlap[] {
  const words = new Map(
    episodes.map((episode) => [episode, episode.turns.map(({ text }) => new Set(wordsOf(text)))]),
  );
  const groups = groupBy(episodes, peersOf);
  return [...groups.values()].flatMap((peers) =>
    peers.flatMap((episode) =>
      episode.turns.slice(1).flatMap(({ turn, agent: target }) => {
        const source = episode.order[(turn - 1) % episode.order.length] as string;
        const value = overlapAt(turn, { own: episode, peers, words });
        return value === undefined ? [] : [{ episode, source, target, value }];
      }),
    ),
  );
}

interface Among {
  own: TalkEpisode;
  peers: readonly TalkEpisode[];
  words: ReadonlyMap<TalkEpisode, readonly ReadonlySet<string>[]>;
}

function overlapAt(turn: number, { own, peers, words }: Among): number | undefined {
  const said = words.get(own)?.[turn];
  if (!said || said.size === 0) return undefined;
  const shared = (episode: TalkEpisode): number[] => {
    const before = words.get(episode)?.[turn - 1];
    return before && before.size > 0 ? [[...said].filter((word) => before.has(word)).length / said.size] : [];
  };
  const [mine] = shared(own);
  const others = peers.filter((episode) => episode !== own).flatMap((episode) => shared(episode));
  if (mine === undefined || others.length === 0) return undefined;
  return mine - others.reduce((sum, value) => sum + value, 0) / others.length;
}
