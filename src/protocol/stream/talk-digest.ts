/** The digest by which a turn frame names the utterance before it (docs/protocol.md, `talk`). */
import { createHash } from 'node:crypto';

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
