/** What one token allows, against the real stream server: for how long, how fast, and how much of a run's room. */
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openSpool } from '../../../../src/journal/spool.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import { decodeMessage, encodeMessage } from '../../../../src/protocol/stream/codec.ts';
import type { StreamMessage } from '../../../../src/protocol/stream/frames.ts';
import { createAgentRates } from '../../../../src/transport/stream/receiver/agent-rates.ts';
import { createStreamSender } from '../../../../src/transport/stream/sender/sender.ts';
import {
  RUN,
  silentLog,
  startAgent,
  startAnalyzer,
  stepsFrame,
  temporaryFolder,
  tokenFor,
  waitFor,
  type TestAnalyzer,
} from '../../../fixtures/stream/stream-fixture.ts';

const stops: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function analyzerWith(options: Partial<Parameters<typeof startAnalyzer>[0]>): Promise<TestAnalyzer> {
  const analyzer = await startAnalyzer({ folder: await temporaryFolder(), ...options });
  stops.push(() => analyzer.close());
  return analyzer;
}

/** Says hello and then sends every frame at once, whatever the analyzer answers. */
function flood(analyzer: TestAnalyzer, stream: string, of: { frames: number; agent?: string }): WebSocket {
  const claims = of.agent === undefined ? {} : { agent: of.agent };
  const headers = { authorization: `Bearer ${tokenFor(stream, claims)}` };
  const socket = new WebSocket(analyzer.url, { headers });
  const say = (message: StreamMessage): void => socket.send(encodeMessage(message));
  socket.on('error', () => undefined);
  socket.on('open', () =>
    say({ type: 'hello', version: [2, 0], run: RUN, stream, epoch: 1, firstSeq: 0, lastSeq: of.frames - 1 }),
  );
  socket.on('message', (data) => {
    if (decodeMessage(data as Buffer).type !== 'welcome') return;
    for (let seq = 0; seq < of.frames; seq++) say({ ...stepsFrame(seq, FRAME_VALUES), seq });
  });
  stops.push(() => socket.terminate());
  return socket;
}

const FRAME_VALUES = 50_000;
/** Two bytes a value; the rest of a frame is small. */
const FRAME_BYTES = 2 * FRAME_VALUES;
const bytesOf = (analyzer: TestAnalyzer): number => analyzer.recorded.length * FRAME_BYTES;

describe('a connection', () => {
  it('ends with its token, also while it is idle', async () => {
    const analyzer = await analyzerWith({});
    const expiresAtMs = Date.now() + 1500;
    const headers = { authorization: `Bearer ${tokenFor('ada', { expiresAtMs })}` };
    const socket = new WebSocket(analyzer.url, { headers });
    const hello = { run: RUN, stream: 'ada', epoch: 1, firstSeq: 0, lastSeq: -1 };
    socket.on('open', () => socket.send(encodeMessage({ type: 'hello', version: [2, 0], ...hello })));
    expect(await new Promise((resolve) => socket.once('close', resolve))).toBe(4004);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAtMs);
  });

  it('takes no frame after its token has expired', async () => {
    const analyzer = await analyzerWith({});
    const expiresAtMs = Date.now() + 1000;
    const headers = { authorization: `Bearer ${tokenFor('ada', { expiresAtMs })}` };
    const socket = new WebSocket(analyzer.url, { headers });
    const hello = { run: RUN, stream: 'ada', epoch: 1, firstSeq: 0, lastSeq: 0 };
    socket.on('open', () => socket.send(encodeMessage({ type: 'hello', version: [2, 0], ...hello })));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    await waitFor(() => Date.now() >= expiresAtMs);
    socket.send(encodeMessage({ ...stepsFrame(0), seq: 0 }));
    expect(await ended).toBe(4004);
    expect(analyzer.recorded).toEqual([]);
  });

  it('is made again with the next token by a sender, and no frame is lost or doubled', async () => {
    const analyzer = await analyzerWith({});
    const spool = await openSpool({ folder: await temporaryFolder(), maxBytes: 2 ** 24, log: silentLog });
    const sender = await createStreamSender({
      url: () => analyzer.url,
      token: () => tokenFor('ada', { expiresAtMs: Date.now() + 1000 }),
      run: RUN,
      stream: 'ada',
      spool,
      log: silentLog,
      clock: systemClock,
    });
    stops.push(() => sender.close());
    let turn = 0;
    await waitFor(() => {
      sender.append(stepsFrame(turn));
      turn += 1;
      return sender.status().connections >= 3;
    });
    expect(await sender.drained(10_000)).toBe(true);
    expect(analyzer.recorded.map(({ message }) => message.seq)).toEqual(
      Array.from({ length: turn }, (_, i) => i),
    );
  });
});

describe('the rate of an agent', () => {
  it('fills up again with time, and says how long to wait', () => {
    let nowMs = 0;
    const rates = createAgentRates(
      { agentBytesPerS: 1000, agentBurstBytes: 500 },
      { monotonicMs: () => nowMs },
    );
    expect(rates.take('ada', 500)).toBe(0);
    expect(rates.take('ada', 250)).toBe(250);
    expect(rates.take('ben', 500)).toBe(0);
    nowMs = 250;
    expect(rates.take('ada', 0)).toBe(0);
    nowMs = 60_000;
    expect(rates.take('ada', 501)).toBe(1);
  });

  it('is kept over all streams of its tokens, and nothing is lost by it', async () => {
    const [perSecond, burst] = [400_000, 200_000];
    const limits = { agentBytesPerS: perSecond, agentBurstBytes: burst };
    const analyzer = await analyzerWith({ limits });
    const startMs = performance.now();
    flood(analyzer, 's1', { frames: 10, agent: 'eve' });
    flood(analyzer, 's2', { frames: 10, agent: 'eve' });
    await waitFor(() => analyzer.recorded.length === 20);
    // What stands in the buffers of the two sockets when they are paused comes without waiting.
    const free = burst + 4 * (FRAME_BYTES + 65_536);
    const leastMs = ((bytesOf(analyzer) - free) / perSecond) * 1000;
    expect(leastMs).toBeGreaterThan(2500);
    expect(performance.now() - startMs).toBeGreaterThan(leastMs);
    expect(analyzer.stream.status().refused['rate']).toBeGreaterThan(0);
  });
});

describe('the share of an agent', () => {
  it('leaves the rest of the run to the others', async () => {
    const recording = { maxBytes: 3_000_000, maxAgentBytes: 1_000_000 };
    const analyzer = await analyzerWith({ recording });
    flood(analyzer, 'eve', { frames: 40 });
    await waitFor(() => analyzer.recording.status().fault !== undefined, { what: 'the share to be used up' });
    expect(analyzer.recording.status().fault).toContain('agent "eve" has used its budget of 1000000 bytes');
    const honest = await startAgent({ url: analyzer.url, folder: await temporaryFolder(), stream: 'ben' });
    stops.push(() => honest.close());
    for (let turn = 0; turn < 8; turn++) honest.sender.append(stepsFrame(turn, FRAME_VALUES));
    expect(await honest.sender.drained(10_000)).toBe(true);
    const of = (stream: string): number =>
      analyzer.recorded.filter((frame) => frame.stream === stream).length;
    expect(of('eve') * FRAME_BYTES).toBeLessThanOrEqual(1_000_000);
    expect(of('ben')).toBe(8);
  });
});
