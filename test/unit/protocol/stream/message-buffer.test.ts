import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crcOfMessage, decodeMessage, encodeMessage } from '../../../../src/protocol/stream/codec.ts';
import type { StepsFrame, StreamMessage } from '../../../../src/protocol/stream/frames.ts';
import { createMessageLender } from '../../../../src/protocol/stream/message-buffer.ts';
import { anyMessage } from '../../../fixtures/stream/frame-arbitraries.ts';
import { stepsFrame } from '../../../fixtures/stream/stream-fixture.ts';

const frame = (seq: number, values = 64): StepsFrame => ({ ...stepsFrame(seq, values), seq });

const read = ({ bytes }: { bytes: Uint8Array }): StreamMessage => decodeMessage(bytes);

describe('createMessageLender', () => {
  it('encodes every message so that it decodes to the same, with the CRC-32 of its bytes', () => {
    const lend = createMessageLender();
    fc.assert(
      fc.property(anyMessage, (message) => {
        const { bytes, crc, giveBack } = lend(message);
        expect(crc).toBe(crc32(bytes));
        expect(crcOfMessage(bytes, read({ bytes }))).toBe(crc);
        expect(read({ bytes })).toEqual(read({ bytes: encodeMessage(message) }));
        giveBack();
      }),
    );
  });

  it('does not overwrite a message that is lent', () => {
    const lend = createMessageLender();
    lend(frame(0)).giveBack();
    const lent = Array.from({ length: 9 }, (_, seq) => lend(frame(seq)));
    expect(lent.map(read)).toEqual(lent.map((_, seq) => read({ bytes: encodeMessage(frame(seq)) })));
  });

  it('reuses returned memory that is large enough', () => {
    const lend = createMessageLender();
    const first = lend(frame(1, 128));
    first.giveBack();
    const second = lend(frame(2, 64));
    expect(second.bytes.buffer).toBe(first.bytes.buffer);
    second.giveBack();
    const third = lend(frame(3, 256));
    expect(third.bytes.buffer).not.toBe(first.bytes.buffer);
    expect([second, third].map(read)).toEqual(
      [frame(2), frame(3, 256)].map((one) => read({ bytes: encodeMessage(one) })),
    );
  });
});
