/** What a turn frame tells of the utterance before it, without a word of it. */
import { expect, it } from 'vitest';
import { talkMark } from '../../../src/agent-node/talk-mark.ts';
import { digestOf } from '../../../src/protocol/stream/talk-digest.ts';

it('digestOf is 0 for an utterance without a letter, number or symbol', () => {
  for (const text of ['', '   \n', '...', '“ … ”', '\u200b', '— !?']) expect(digestOf(text)).toBe(0);
  for (const text of ['a', '7', '😀', '好', '+']) expect(digestOf(text)).toBeGreaterThan(0);
});

it('digestOf is equal for the same words in other case, spacing and punctuation, and for no other words', () => {
  const same = ['Yes, I do!', 'yes i do', ' YES – I   do… ', 'Yes, I do.\n', 'Ｙes I do'];
  expect(new Set(same.map(digestOf)).size).toBe(1);
  const others = ['Yes, I do!', 'Yes, I did!', 'I do, yes', 'No', 'Yes', '5 apples', '6 apples', 'é', 'e'];
  expect(new Set(others.map(digestOf)).size).toBe(others.length);
});

it('digestOf has the value that docs/protocol.md gives for an example', () => {
  expect(digestOf('Yes, I do!')).toBe(0xa852d3249bc6);
});

it('talkMark says whether the utterance was cut, and nothing for a turn without an utterance', () => {
  expect(talkMark(undefined, 0)).toEqual({ dropped: 0 });
  expect(talkMark({ text: '', finish: 'absent' }, 3)).toEqual({ dropped: 3 });
  expect(talkMark({ text: 'and then', finish: 'length' }, 0)).toMatchObject({ cut: true });
  expect(talkMark({ text: '', finish: 'leave' }, 1)).toEqual({ dropped: 1, digest: 0, cut: false });
});
