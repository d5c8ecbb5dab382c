/** Describes an utterance by numbers, so that the analyzer can judge the talk without having a word of it. */
import { createHash } from 'node:crypto';
import type { Utterance } from '../protocol/nats-messages.ts';
import type { TalkMark } from '../protocol/stream/frames.ts';

/**
 * @param before utterance of the turn before; undefined at the first turn
 * @param dropped number of earlier turns that the prompt no longer holds
 */
export function talkMark(before: Pick<Utterance, 'text' | 'finish'> | undefined, dropped: number): TalkMark {
  if (!before || before.finish === 'absent') return { dropped };
  return { dropped, digest: digestOf(before.text), cut: before.finish === 'length' };
}

const DIGEST_BYTES = 6;

/**
 * A digest that is equal for texts with the same letters, numbers and symbols in the same order, regardless of case,
 * white space and punctuation.
 * @returns 0 for a text without any; else the first 48 bits of the SHA-256 of the lower-case rest in UTF-8
 */
export function digestOf(text: string): number {
  const bare = text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\p{P}\p{Z}\p{C}]/gu, '');
  if (bare === '') return 0;
  return createHash('sha256').update(bare).digest().readUIntBE(0, DIGEST_BYTES);
}
