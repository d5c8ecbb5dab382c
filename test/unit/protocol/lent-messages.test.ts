import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../src/protocol/codec.ts';
import type { Gap } from '../../../src/protocol/frames.ts';
import { createMessageLender } from '../../../src/protocol/lent-messages.ts';

const message = (seq: number, reason = ''): Gap => ({ type: 'gap', seq, from: seq, to: seq, reason });

describe('a message lender', () => {
  it('writes over nothing that is lent', () => {
    const lend = createMessageLender();
    lend(message(0)).giveBack();
    const lent = Array.from({ length: 9 }, (_, seq) => lend(message(seq)));
    expect(lent.map(({ bytes }) => decodeMessage(bytes))).toEqual(lent.map((_, seq) => message(seq)));
  });

  it('writes over nothing that others encode meanwhile', () => {
    const lend = createMessageLender();
    const first = lend(message(1));
    const other = encodeMessage(message(2));
    first.giveBack();
    lend(message(3, 'x'.repeat(250)));
    expect(decodeMessage(other)).toEqual(message(2));
  });

  it('writes over what was given back', () => {
    const lend = createMessageLender();
    const first = lend(message(1));
    first.giveBack();
    const second = lend(message(2));
    expect(second.bytes.buffer).toBe(first.bytes.buffer);
    expect(decodeMessage(second.bytes)).toEqual(message(2));
  });

  it('takes more room for a message that does not fit, and keeps that', () => {
    const lend = createMessageLender();
    lend(message(1)).giveBack();
    const large = lend(message(2, 'x'.repeat(256)));
    expect(decodeMessage(large.bytes)).toEqual(message(2, 'x'.repeat(256)));
    large.giveBack();
    expect(lend(message(3, 'y'.repeat(256))).bytes.buffer).toBe(large.bytes.buffer);
  });
});
