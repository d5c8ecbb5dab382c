/**
 * The vector of a text is the one that the field's own library gives; what is no encoder is refused in one sentence.
 */
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import { expect, it } from 'vitest';
import { turnFrame } from '../../../../src/agent-node/frames.ts';
import { shareTurn, unpackTurn } from '../../../../src/analyzer/ingest/turn-numbers.ts';
import { loadModel } from '../../../../src/model/worker/load-model.ts';
import { openSentenceEncoder } from '../../../../src/model/text/sentence-encoder.ts';
import type { TurnState } from '../../../../src/model/types.ts';
import { decodeMessage, encodeMessage } from '../../../../src/protocol/stream/codec.ts';
import type { TurnFrame } from '../../../../src/protocol/stream/frames.ts';
import { DIALOGUE, writeChatModel } from '../../../fixtures/onnx/chat-model.ts';
import { temporaryFolder } from '../../../fixtures/onnx/write-folder.ts';
import {
  ENCODER_DIMS,
  ENCODER_TOKENS,
  writeSentenceEncoder,
} from '../../../fixtures/onnx/sentence-encoder.ts';

const TEXTS = ['Hello, how are you?', 'I would like to buy some apples.', 'naïve 🙂', 'a'];

it('the sentence embedding equals that of transformers.js, mean over tokens at unit length', async () => {
  const folder = await writeSentenceEncoder();
  const encoder = await openSentenceEncoder(folder, 1);
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  const reference = await pipeline('feature-extraction', basename(folder), { dtype: 'fp32', device: 'cpu' });
  for (const text of TEXTS) {
    const wanted = await reference(text, { pooling: 'mean', normalize: true });
    const found = await encoder.encode(text);
    expect(found).toHaveLength(ENCODER_DIMS);
    for (const [k, value] of found.entries()) expect(value).toBeCloseTo(Number(wanted.data[k]), 6);
  }
  await reference.dispose();
  await encoder.release();
});

it('each turn’s state has the embedding of the words that the agent had read', async () => {
  const sentenceEncoder = await writeSentenceEncoder();
  const folder = await writeChatModel({ tokens: 'bytes', template: 'chatml' });
  const place = { provider: 'cpu', threads: 1, cacheFolder: await temporaryFolder() } as const;
  const model = await loadModel({ folder, sentenceEncoder, ...place });
  const dialogue = await model.open(DIALOGUE);
  await dialogue.heard('Two coins each?', () => undefined);
  const states: TurnState[] = [];
  await dialogue.speak({
    seed: 1,
    maxTokens: 2,
    mayLeave: true,
    onState: (state) => states.push(state),
    onToken: () => undefined,
    onSteps: () => undefined,
  });
  await model.stop();
  const encoder = await openSentenceEncoder(sentenceEncoder, 1);
  expect(states[0]?.sentence).toEqual(await encoder.encode(`${DIALOGUE.system}\nTwo coins each?`));
  const [frame] = states.map((state) =>
    turnFrame(state, { episode: 'e1', turn: 1, tNs: 0, seating: 0, talk: { dropped: 0 } }),
  );
  const read = decodeMessage(encodeMessage({ ...frame, seq: 1 } as TurnFrame)) as TurnFrame;
  expect(unpackTurn(shareTurn(read)).sentence).toEqual(states[0]?.sentence);
  await encoder.release();
});

it('the sentence encoder reads a text that is too long in parts, so that its end counts too', async () => {
  const encoder = await openSentenceEncoder(await writeSentenceEncoder(), 1);
  const long = Array.from({ length: 3 * ENCODER_TOKENS }, () => 'apples').join(' ');
  const [one, other] = await Promise.all([encoder.encode(`${long} Hello`), encoder.encode(`${long} coins`)]);
  expect(Math.hypot(...one)).toBeCloseTo(1, 6);
  expect([...one]).not.toEqual([...other]);
  await encoder.release();
});

it.each(['config.json', 'tokenizer.json', 'onnx/model.onnx'])(
  'openSentenceEncoder refuses a folder without %s',
  async (file) => {
    const folder = await writeSentenceEncoder();
    await rm(join(folder, file));
    await expect(openSentenceEncoder(folder, 1)).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringMatching(
        new RegExp(`^${folder} is no sentence encoder, for it lacks ${file}: [^.]*`),
      ) as string,
    });
  },
);

it('openSentenceEncoder refuses a language model, and a graph without token states', async () => {
  const chat = await writeChatModel({ tokens: 'bytes', template: 'chatml' });
  await expect(openSentenceEncoder(chat, 1)).rejects.toMatchObject({
    code: 'MODEL_UNSUPPORTED',
    message: expect.stringContaining('its graph asks for') as string,
  });
  const pooled = await writeSentenceEncoder('sentence_embedding');
  await expect(openSentenceEncoder(pooled, 1)).rejects.toMatchObject({
    code: 'MODEL_UNSUPPORTED',
    message: expect.stringContaining('gives no last hidden state of every token') as string,
  });
});
