/** How an agent talks, counted from its utterances alone. */
import type { TalkEpisode } from '../process/run-folder/read-talk.ts';
import { wordsOf } from '../process/run-folder/words-of.ts';
import { groupBy } from '../synchrony/group-by.ts';

export interface TalkQuality {
  condition: string;
  turns: number;
  tokensPerTurn: number;
  /** Shares of its turns, from 0 to 1. */
  empty: number;
  /** Ended by the limit on tokens. */
  cut: number;
  /** Said word for word before in the same episode, by either. */
  repeated: number;
  /** Distinct words over all words of the agent. */
  distinctWords: number;
}

export function talkQuality(episodes: readonly TalkEpisode[], agent: string): TalkQuality[] {
  return [...groupBy(episodes, ({ condition }) => condition)].map(([condition, own]) => {
    const said = own.flatMap(({ turns }) =>
      turns.flatMap((turn, at) =>
        turn.agent === agent && turn.finish !== 'absent'
          ? [
              {
                ...turn,
                isRepeated: turn.text !== '' && turns.slice(0, at).some(({ text }) => text === turn.text),
              },
            ]
          : [],
      ),
    );
    const words = said.flatMap(({ text }) => wordsOf(text));
    const share = (is: (turn: (typeof said)[number]) => boolean): number =>
      said.length === 0 ? 0 : said.filter(is).length / said.length;
    return {
      condition,
      turns: said.length,
      tokensPerTurn: said.reduce((sum, { tokens }) => sum + tokens, 0) / Math.max(1, said.length),
      empty: share(({ text }) => text === ''),
      cut: share(({ finish }) => finish === 'length'),
      repeated: share(({ isRepeated }) => isRepeated),
      distinctWords: new Set(words).size / Math.max(1, words.length),
    };
  });
}
