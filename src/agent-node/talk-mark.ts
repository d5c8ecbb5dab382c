/** Describes an utterance by numbers, so that the analyzer can judge the talk without having a word of it. */
import type { Utterance } from '../protocol/nats-messages.ts';
import type { TalkMark } from '../protocol/stream/frames.ts';
import { digestOf } from '../protocol/stream/talk-digest.ts';

/**
 * @param before utterance of the turn before; undefined at the first turn
 * @param dropped number of earlier turns that the prompt no longer holds
 */
export function talkMark(before: Pick<Utterance, 'text' | 'finish'> | undefined, dropped: number): TalkMark {
  if (!before || before.finish === 'absent') return { dropped };
  return { dropped, digest: digestOf(before.text), cut: before.finish === 'length' };
}
