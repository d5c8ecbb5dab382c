import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { openSpool } from '../../../../src/journal/spool.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import { encodeMessage } from '../../../../src/protocol/stream/codec.ts';
import type { StreamMessage } from '../../../../src/protocol/stream/frames.ts';
import { createStreamSender } from '../../../../src/transport/stream/sender/sender.ts';
import { createStreamServer } from '../../../../src/transport/stream/receiver/server.ts';
import { verifyToken } from '../../../../src/transport/stream/auth/access-token.ts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { openRecording } from '../../../../src/journal/run-recording.ts';
import {
  keys,
  RUN,
  stepsFrame,
  temporaryFolder,
  tokenFor,
  waitFor,
} from '../../../fixtures/stream/stream-fixture.ts';

it('sender and server write no token, state or text to the log, at any level', async () => {
  const lines: string[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const log = pino({ level: 'trace' }, sink);
  const server = createServer().listen(0, '127.0.0.1');
  const recording = await openRecording({ folder: await temporaryFolder(), log });
  const stream = createStreamServer({
    server,
    authorize: (token) => verifyToken(keys.publicKeyPem, token, { nowMs: Date.now() }),
    record: (_, name) => recording.stream(name),
    onRecorded: () => {
      throw new Error('a fault in what comes after');
    },
    log,
    clock: systemClock,
  });
  await waitFor(() => server.listening, { what: 'the server' });
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/stream`;
  const token = tokenFor('ada');
  const spool = await openSpool({ folder: await temporaryFolder(), maxBytes: 2 ** 20, log });
  const place = { url: () => url, token: () => token, run: RUN, stream: 'ada' };
  const sender = await createStreamSender({ ...place, spool, log, clock: systemClock });
  sender.append({ ...stepsFrame(0), episode: 'episode-of-secrets' });
  await sender.drained(5000);
  const bad = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  const hello: StreamMessage = {
    type: 'hello',
    version: [2, 0],
    run: RUN,
    stream: 'ada',
    epoch: 9,
    firstSeq: 0,
    lastSeq: -1,
  };
  const forged = encodeMessage({ ...stepsFrame(1), seq: 1, crc32: 1, episode: 'episode-of-secrets' });
  bad.on('open', () => {
    bad.send(encodeMessage(hello));
    bad.on('message', () => bad.send(forged));
  });
  await new Promise((resolve) => bad.on('close', resolve));
  const expired = tokenFor('ada', { expiresAtMs: 1 });
  const late = new WebSocket(url, { headers: { authorization: `Bearer ${expired}` } });
  await new Promise((resolve) => late.on('error', resolve));
  await waitFor(() => lines.some((line) => line.includes('"stream connected again"')), {
    what: 'the sender back',
  });
  await sender.close();
  await spool.close();
  await stream.close();
  await recording.close();
  server.close();
  const text = lines.join('');
  expect(text).toContain('a fault in what comes after');
  expect(text).toContain('FRAME_CHECKSUM');
  for (const message of ['stream connected', 'stream left', 'another connection takes the stream over'])
    expect(text).toContain(`"${message}"`);
  expect(text).toContain('"cause":"TOKEN_INVALID","times":1,"why":"The access token has expired');
  for (const secret of [token, expired, token.slice(0, 30), 'episode-of-secrets', 'PRIVATE KEY', '"data"'])
    expect(text).not.toContain(secret);
});
