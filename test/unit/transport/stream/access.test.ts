import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { decodeMessage, encodeMessage } from '../../../../src/protocol/stream/codec.ts';
import type { StreamMessage } from '../../../../src/protocol/stream/frames.ts';
import { createKeys, mintToken } from '../../../../src/transport/stream/auth/access-token.ts';
import {
  RUN,
  startAgent,
  startAnalyzer,
  stepsFrame,
  temporaryFolder,
  tokenFor,
  waitFor,
  type TestAnalyzer,
} from '../../../fixtures/stream/stream-fixture.ts';

let analyzer: TestAnalyzer;
beforeEach(async () => {
  analyzer = await startAnalyzer({
    folder: await temporaryFolder(),
    // One client waits until it is cut off; to all others this must be long, on a busy machine too.
    limits: { helloMs: 2000, maxMessageBytes: 100_000, creditBytes: 50_000, connectionsPerAddress: 20 },
  });
});
afterEach(() => analyzer.close());

interface Client {
  socket: WebSocket;
  messages: StreamMessage[];
  /** WebSocket close code, or the HTTP status of a refusal. */
  ended: Promise<number>;
}

function open(token: string | undefined): Client {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(analyzer.url, { headers, perMessageDeflate: false });
  const messages: StreamMessage[] = [];
  socket.on('message', (data) => messages.push(decodeMessage(data as Buffer)));
  const ended = new Promise<number>((resolve) => {
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('close', resolve);
    socket.on('error', () => undefined);
  });
  return { socket, messages, ended };
}

const hello = (stream = 'ada', run = RUN): StreamMessage => ({
  type: 'hello',
  version: [2, 0],
  run,
  stream,
  epoch: 1,
  firstSeq: 0,
  lastSeq: -1,
});

async function greeted(): Promise<Client> {
  const client = open(tokenFor('ada'));
  client.socket.on('open', () => client.socket.send(encodeMessage(hello())));
  await waitFor(() => client.messages.some(({ type }) => type === 'welcome'), { what: 'the welcome' });
  return client;
}

describe('access to the activation stream', () => {
  it.each<[string, () => string | undefined, number]>([
    ['no token', () => undefined, 401],
    ['an empty one', () => '', 401],
    ['nonsense', () => 'abc.def', 401],
    ['an expired one', () => tokenFor('ada', { expiresAtMs: Date.now() - 1 }), 401],
    ['one of a stranger', () => strangersToken(), 401],
    ['one that may only read', () => tokenFor('ada', { mode: 'read' }), 403],
  ])('refuses %s before the upgrade', async (_, token, status) => {
    expect(await open(token()).ended).toBe(status);
    expect(analyzer.stream.status().connections).toBe(0);
  });

  it.each([
    ['stream', hello('ben')],
    ['run', hello('ada', 'run-2')],
  ])('refuses a hello for another %s than the token’s', async (_, message) => {
    const client = open(tokenFor('ada'));
    client.socket.on('open', () => client.socket.send(encodeMessage(message)));
    expect(await client.ended).toBe(4003);
    expect(analyzer.stream.status().streams).toEqual([]);
  });

  it.each(['bearer', 'BEARER', 'Bearer  '])('takes a token under the scheme "%s"', async (scheme) => {
    const headers = { authorization: `${scheme} ${tokenFor('ada')}` };
    const socket = new WebSocket(analyzer.url, { headers });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.terminate();
  });

  it.each(['/stream', '/other'])('keeps no socket of a client that it refuses on %s', async (path) => {
    const { hostname, port } = new URL(analyzer.url);
    const client = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const upgrade = 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n';
    client.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${upgrade}\r\n`);
    await new Promise((resolve) => client.resume().once('end', resolve));
    // It goes on to hold its half: only a socket that is gone answers with a reset.
    const gone = new Promise((resolve) =>
      client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code)),
    );
    const writing = setInterval(() => client.write('x'), 20);
    expect(await gone).toMatch(/ECONNRESET|EPIPE/);
    clearInterval(writing);
  });

  it('answers 404 on other paths, so that no socket stays open', async () => {
    const socket = new WebSocket(analyzer.url.replace('/stream', '/other'));
    socket.on('error', () => undefined);
    const status = new Promise((resolve) =>
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode)),
    );
    expect(await status).toBe(404);
  });
});

it('tells a sender that left in order from one whose connection broke', async () => {
  const figures = () => analyzer.stream.status().streams[0];
  (await greeted()).socket.terminate();
  await waitFor(() => figures()?.connected === false, { what: 'the broken line' });
  expect(figures()?.done).toBe(false);
  (await greeted()).socket.close(1000);
  await waitFor(() => figures()?.done === true, { what: 'the end in order' });
  await greeted();
  expect(figures()).toMatchObject({ connected: true, done: false });
});

describe('a hostile client', () => {
  it.each<[string, (client: Client) => void, number]>([
    ['text', ({ socket }) => socket.send('hello'), 4000],
    ['bytes that are no message', ({ socket }) => socket.send(Buffer.from('c1', 'hex')), 4000],
    ['a message of the analyzer', ({ socket }) => socket.send(encodeMessage(welcome)), 4000],
    ['more than the limit', ({ socket }) => socket.send(Buffer.alloc(100_001)), 1009],
    ['fragments without end', ({ socket }) => sendFragments(socket, 200_000), 1009],
    ['text that is not UTF-8', ({ socket }) => sendRaw(socket, Buffer.from('818200000000c328', 'hex')), 1007],
  ])('is cut off for %s', async (_, act, code) => {
    const client = await greeted();
    act(client);
    expect(await client.ended).toBe(code);
  });

  it('is cut off for a frame before the welcome, and for sending no hello', async () => {
    const early = open(tokenFor('ada'));
    early.socket.on('open', () => early.socket.send(encodeMessage({ ...stepsFrame(0), seq: 0 })));
    const silent = open(tokenFor('ada'));
    expect(await Promise.all([early.ended, silent.ended])).toEqual([4000, 4000]);
    expect(analyzer.recorded).toEqual([]);
  });

  it('does not hinder honest senders, even with two hundred at once', async () => {
    const agent = await startAgent({ url: analyzer.url, folder: await temporaryFolder(), stream: 'ben' });
    const before = process.memoryUsage.rss();
    const hostile = Array.from({ length: 200 }, (_, i) => attack(i));
    for (let turn = 0; turn < 100; turn++) {
      await agent.sender.room('turn');
      agent.sender.append(stepsFrame(turn));
    }
    expect(await agent.sender.drained(20_000)).toBe(true);
    for (const stop of hostile) stop();
    expect(analyzer.recorded.filter(({ stream }) => stream === 'ben')).toHaveLength(100);
    expect(process.memoryUsage.rss() - before).toBeLessThan(128 * 2 ** 20);
    await agent.close();
  });
});

describe('the connections kept open by clients', () => {
  /** No client is cut off for a missing hello, however slow the machine is. */
  const PATIENT = { helloMs: 60_000, connectionsPerAddress: 20, connectionsPerAgent: 5 };
  beforeEach(async () => {
    await analyzer.close();
    analyzer = await startAnalyzer({ folder: await temporaryFolder(), limits: PATIENT });
  });

  const letIn = ({ socket, ended }: Client): Promise<number | 'open'> =>
    Promise.race([ended, new Promise<'open'>((resolve) => socket.once('open', () => resolve('open')))]);
  const kept = async (clients: Client[]): Promise<number> =>
    (await Promise.all(clients.map(letIn))).filter((answer) => answer === 'open').length;

  it('are at most three of a stream: the oldest is closed', async () => {
    const oldest = open(tokenFor('ada'));
    expect(await letIn(oldest)).toBe('open');
    expect(await kept(Array.from({ length: 3 }, () => open(tokenFor('ada'))))).toBe(3);
    // 1006: closed without a close frame.
    expect(await oldest.ended).toBe(1006);
    expect(analyzer.stream.status().refused).toEqual({ stream_connections: 1 });
  });

  it('are at most as many as one address may have', async () => {
    expect(await kept(Array.from({ length: 30 }, (_, i) => open(tokenFor(`agent-${i}`))))).toBe(20);
    expect(analyzer.stream.status().refused).toEqual({ connections: 10 });
  });

  it('are at most as many as one agent may have, whatever streams its tokens name', async () => {
    const ofAda = (stream: string): Client => open(tokenFor(stream, { agent: 'ada' }));
    const clients = Array.from({ length: 8 }, (_, i) => ofAda(`s${i}`));
    expect(await kept(clients)).toBe(5);
    expect(analyzer.stream.status().refused).toEqual({ agent_connections: 3 });
    expect(await letIn(open(tokenFor('ben')))).toBe('open');
    for (const { socket } of clients) socket.terminate();
    await waitFor(() => analyzer.stream.status().connections === 1, { what: 'ada to be gone' });
    expect(await letIn(ofAda('s0'))).toBe('open');
  });
});

const welcome: StreamMessage = { type: 'welcome', hello: 0, lastEpoch: 0, durableSeq: -1, credits: 1 };

function strangersToken(): string {
  const expiresAtMs = Date.now() + 60_000;
  const claims = { run: RUN, agent: 'ada', stream: 'ada', mode: 'write' as const, expiresAtMs };
  return mintToken(createKeys().privateKeyPem, claims);
}

function sendFragments(socket: WebSocket, bytes: number): void {
  for (let sent = 0; sent < bytes; sent += 10_000) socket.send(Buffer.alloc(10_000), { fin: false });
}

/** Writes to the socket itself; the library would not send such bytes. */
function sendRaw(socket: WebSocket, bytes: Buffer): void {
  const { ['_socket']: line } = socket as unknown as { _socket: { write(bytes: Buffer): void } };
  line.write(bytes);
}

/** One of three attacks: a handshake that never ends, a bad token, a flood of bytes. */
function attack(i: number): () => void {
  if (i % 3 === 0) {
    const line = connect(analyzer.port, '127.0.0.1', () => line.write('GET /stream HTTP/1.1\r\nHost: x\r\n'));
    line.on('error', () => undefined);
    return () => line.destroy();
  }
  const client = open(i % 3 === 1 ? 'x.y' : tokenFor(`mallory-${i % 7}`));
  client.socket.on('open', () => sendFragments(client.socket, 150_000));
  return () => client.socket.terminate();
}
