/**
 * The peer's words while they are being spoken. Tokens are a preview and may be lost: after a hole the preview of
 * that turn stops, and the finished utterance gives the full text.
 */
import type { Token } from '../protocol/nats-messages.ts';

const MOST_CHARS = 2 ** 20;

export interface Preview {
  /** Follows one turn. `onText` is called with the newest text so far, one call at a time. */
  follow(
    place: { episode: string; turn: number },
    onText: (textSoFar: string) => Promise<void>,
  ): { stop(): Promise<void> };
  put(token: Token): void;
}

interface Following {
  key: string;
  text: string;
  nextStep: number;
  stopped: boolean;
  dirty: boolean;
  busy: Promise<void> | undefined;
  onText: (textSoFar: string) => Promise<void>;
}

export function createPreview(): Preview {
  let current: Following | undefined;
  return {
    follow: (place, onText) => {
      const following: Following = {
        key: keyOf(place),
        text: '',
        nextStep: 0,
        stopped: false,
        dirty: false,
        busy: undefined,
        onText,
      };
      current = following;
      return {
        stop: async () => {
          following.stopped = true;
          if (current === following) current = undefined;
          await following.busy;
        },
      };
    },
    put: (token) => {
      if (!current || current.key !== keyOf(token) || token.step !== current.nextStep) return;
      // More than a message of NATS holds cannot be the words of an utterance.
      if (current.text.length + token.text.length > MOST_CHARS) return;
      current.nextStep += 1;
      current.text += token.text;
      current.dirty = true;
      current.busy ??= drain(current);
    },
  };
}

async function drain(following: Following): Promise<void> {
  while (following.dirty && !following.stopped) {
    following.dirty = false;
    await following.onText(following.text);
  }
  following.busy = undefined;
}

function keyOf(place: { episode: string; turn: number }): string {
  return `${place.episode}/${place.turn}`;
}
