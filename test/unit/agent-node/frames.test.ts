import { expect, it } from 'vitest';
import { stepsFrame } from '../../../src/agent-node/frames.ts';
import { decodeMessage, encodeMessage } from '../../../src/protocol/stream/codec.ts';

it('stepsFrame gives the states of a thought the role `think` and no bytes of text', () => {
  const states = {
    role: 'think' as const,
    step0: 3,
    bytes: [
      [0, 0],
      [0, 0],
    ] as [number, number][],
    layers: [1, 2],
    data: Float32Array.from({ length: 2 * 2 * 4 }, (_, i) => i),
  };
  const frame = stepsFrame(states, { episode: 'e0001', turn: 2, tNs: 7 });
  const sent = decodeMessage(encodeMessage({ seq: 1, ...frame }));
  expect(sent).toMatchObject({
    type: 'steps',
    role: 'think',
    turn: 2,
    step0: 3,
    shape: [2, 2, 4],
    bytes: states.bytes,
  });
});
