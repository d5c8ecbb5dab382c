/**
 * Keeps utterances from the run's stream until the episode that needs them asks. Utterances of episodes that this
 * agent never plays are dropped, oldest first.
 */
import type { Alternative, Utterance } from '../protocol/nats-messages.ts';

/** A spoken turn with its alternatives; without them if the turn does not branch. */
export type Heard = Utterance & { alternatives?: readonly Alternative[] };

export interface UtteranceInbox {
  put(utterance: Heard): void;
  /** Settles when the turn has been spoken; rejects when `signal` aborts. */
  take(place: { episode: string; turn: number }, signal: AbortSignal): Promise<Heard>;
}

const KEPT = 4096;

export function createUtteranceInbox(): UtteranceInbox {
  const kept = new Map<string, Heard>();
  const waiting = new Map<string, (utterance: Heard) => void>();
  return {
    put: (utterance) => {
      const key = keyOf(utterance);
      const give = waiting.get(key);
      if (give) return give(utterance);
      kept.set(key, utterance);
      forgetOldest(kept);
    },
    take: async (place, signal) => {
      const key = keyOf(place);
      const early = kept.get(key);
      kept.delete(key);
      if (early) return early;
      return wait(waiting, key, signal);
    },
  };
}

function wait(
  waiting: Map<string, (utterance: Heard) => void>,
  key: string,
  signal: AbortSignal,
): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      waiting.delete(key);
      reject(new Error('the run was stopped', { cause: signal.reason }));
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    waiting.set(key, (utterance) => {
      waiting.delete(key);
      signal.removeEventListener('abort', abort);
      resolve(utterance);
    });
  });
}

function keyOf(place: { episode: string; turn: number }): string {
  return `${place.episode}/${place.turn}`;
}

function forgetOldest(kept: Map<string, Heard>): void {
  for (const key of kept.keys()) {
    if (kept.size <= KEPT) return;
    kept.delete(key);
  }
}
