/**
 * A stream that is taken over while frames of an earlier epoch are still on their way to the disk: their
 * acknowledgement is none for the frames of the new epoch, which have the same numbers.
 */
import { rm } from 'node:fs/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { decodeMessage, encodeMessage } from '../../../../src/protocol/stream/codec.ts';
import type { StreamMessage } from '../../../../src/protocol/stream/frames.ts';
import {
  RUN,
  startAnalyzer,
  stepsFrame,
  temporaryFolder,
  tokenFor,
  waitFor,
} from '../../../fixtures/stream/stream-fixture.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

it('acknowledges nothing before its welcome', async () => {
  const folder = await temporaryFolder();
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const analyzer = await startAnalyzer({ folder });
  stops.push(() => analyzer.close());
  let write: () => void = () => undefined;
  let isWriting = false;
  const written = new Promise<void>((done) => (write = done));
  const open = analyzer.recording.stream.bind(analyzer.recording);
  vi.spyOn(analyzer.recording, 'stream').mockImplementation(async (...of) => {
    const sink = await open(...of);
    const append = sink.append.bind(sink);
    sink.append = async (...batch) => {
      isWriting = true;
      await written;
      return append(...batch);
    };
    return sink;
  });
  const first = greet(analyzer.url, 1);
  await waitFor(() => first.heard.some(({ type }) => type === 'welcome'));
  first.say({ ...stepsFrame(0), seq: 0 });
  await waitFor(() => isWriting);
  const second = greet(analyzer.url, 2);
  await waitFor(() => first.isClosed());
  write();
  await waitFor(() => second.heard.some(({ type }) => type === 'welcome'));
  const types = second.heard.map(({ type }) => type).filter((type) => type === 'ack' || type === 'welcome');
  expect(types).toEqual(['welcome']);
  expect(second.heard.find(({ type }) => type === 'welcome')).toMatchObject({ durableSeq: -1 });
});

/** Says hello in an epoch, and keeps what comes back. */
function greet(url: string, epoch: number) {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${tokenFor('ada')}` } });
  stops.push(() => socket.terminate());
  const heard: StreamMessage[] = [];
  const say = (message: StreamMessage): void => socket.send(encodeMessage(message));
  socket.on('error', () => undefined);
  socket.on('open', () =>
    say({ type: 'hello', version: [2, 0], run: RUN, stream: 'ada', epoch, firstSeq: 0, lastSeq: 0 }),
  );
  socket.on('message', (data) => heard.push(decodeMessage(data as Buffer)));
  return { heard, say, isClosed: () => socket.readyState === WebSocket.CLOSED };
}
