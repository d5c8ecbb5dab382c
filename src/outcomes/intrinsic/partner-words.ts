/**
 * The dialogue as one agent has it, with the words of its real partner, and with those of another dialogue of the same
 * scenario, condition and models in their place. Its own words are the same in both.
 */
import type { TalkEpisode } from '../../process/run-folder/read-talk.ts';
import type { Hears } from '../../protocol/nats-messages.ts';
import { hearsTurn } from '../../protocol/scenarios/hears-turn.ts';

export type PartnerTurn =
  | { who: 'self'; text: string; /** Whether a partner spoke before. */ isReply: boolean }
  | { who: 'peer'; real: string; other: string }
  | { who: 'unheard' };

/**
 * @param role place in the speaking order, from 0
 * @returns turns in order, as far as the other dialogue goes too
 */
export function withPartnerWords(
  episode: TalkEpisode,
  other: TalkEpisode,
  { role, hears }: { role: number; hears: Hears },
): PartnerTurn[] {
  const { order, turns, seed } = episode;
  const found: PartnerTurn[] = [];
  for (const { turn, text, finish } of turns) {
    if (turn % order.length === role) {
      if (finish !== 'absent') found.push({ who: 'self', text, isReply: turn > 0 });
      continue;
    }
    const instead = other.turns[turn];
    if (!instead || (finish === 'absent') !== (instead.finish === 'absent')) break;
    const isHeard = finish !== 'absent' && hearsTurn({ hears, seed }, turn);
    found.push(isHeard ? { who: 'peer', real: text, other: instead.text } : { who: 'unheard' });
  }
  return found;
}

/** For each episode the next one that is alike but for its words, the first behind the last; without one, none. */
export function pairWithOthers(
  episodes: readonly TalkEpisode[],
  peersOf: (episode: TalkEpisode) => string,
): Map<TalkEpisode, TalkEpisode> {
  const groups = new Map<string, TalkEpisode[]>();
  for (const episode of episodes) {
    const key = peersOf(episode);
    groups.set(key, [...(groups.get(key) ?? []), episode]);
  }
  const pairs = [...groups.values()]
    .filter(({ length }) => length > 1)
    .flatMap((group) =>
      group.map((episode, at) => [episode, group[(at + 1) % group.length] as TalkEpisode] as const),
    );
  return new Map(pairs);
}
