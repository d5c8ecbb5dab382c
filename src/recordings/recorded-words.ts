/**
 * Holds the words of a transcript against the recording. Whoever was about to speak describes the utterance before by a
 * digest of its words, so words that were changed afterwards do not go with what the agents had heard.
 */
import type { DataMessage } from '../protocol/stream/frames.ts';
import { digestOf } from '../protocol/stream/talk-digest.ts';

interface Said {
  episode: string;
  turn: number;
  /** Absent in transcripts of protocol 1. */
  text?: string | undefined;
}

export interface RecordedWords {
  take(message: DataMessage): void;
  /** One sentence for each utterance whose words are not those that were heard. */
  faults(said: readonly Said[]): string[];
}

export function createRecordedWords(): RecordedWords {
  /** Digests of an utterance, by EPISODE/TURN. */
  const heard = new Map<string, Set<number>>();
  return {
    take: (message) => {
      if (message.type !== 'turn' || message.talk?.digest === undefined) return;
      const key = `${message.episode}/${message.turn - 1}`;
      heard.set(key, (heard.get(key) ?? new Set()).add(message.talk.digest));
    },
    faults: (said) =>
      said.flatMap(({ episode, turn, text }) => {
        const digests = heard.get(`${episode}/${turn}`);
        if (digests === undefined || text === undefined || digests.has(digestOf(text))) return [];
        return [`turn ${turn} of ${episode}: its words are not those that the next speaker had before it`];
      }),
  };
}
