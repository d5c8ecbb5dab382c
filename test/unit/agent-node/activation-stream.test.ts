/**
 * What an agent waits for before it says that it has joined, with a real stream server that is there, comes late, or
 * never comes.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { openActivationStream, type ActivationStream } from '../../../src/agent-node/activation-stream.ts';
import { systemClock } from '../../../src/process/clock.ts';
import type { NatsLink } from '../../../src/transport/nats/connection.ts';
import { mintToken } from '../../../src/transport/stream/auth/access-token.ts';
import { subjects } from '../../../src/protocol/subjects.ts';
import { freePort } from '../../fixtures/programs/free-port.ts';
import { startNats } from '../../fixtures/programs/nats-fixture.ts';
import {
  keys,
  RUN,
  startAnalyzer,
  stepsFrame,
  temporaryFolder,
  tokenFor,
  type TestAnalyzer,
  waitFor,
} from '../../fixtures/stream/stream-fixture.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

interface Said {
  level: number;
  msg: string;
  why?: string;
}

/** With its log, one line an entry. */
async function open(
  port: number,
  welcomeMs?: number,
  { link = {} as NatsLink, token = tokenFor('ada') } = {},
): Promise<{ stream: ActivationStream; said: Said[]; dataFolder: string }> {
  const said: Said[] = [];
  const dataFolder = await temporaryFolder();
  const log = pino({ level: 'warn' }, { write: (line: string) => said.push(JSON.parse(line) as Said) });
  const stream = await openActivationStream({
    renewalMs: 300_000,
    agent: 'ada',
    assignment: {
      run: RUN,
      stream: 's',
      specConsumer: 'p',
      talkConsumer: 'u',
      analyzer: { url: `ws://127.0.0.1:${port}/stream`, token },
    },
    dataFolder,
    spoolMaxBytes: 2 ** 24,
    tls: {},
    // Called only when a new token is needed: minutes from now, or when the first is refused.
    link,
    clock: systemClock,
    log,
    ...(welcomeMs === undefined ? {} : { welcomeMs }),
  });
  opened.push(stream);
  return { stream, said, dataFolder };
}

const analyzerAt = async (port: number): Promise<TestAnalyzer> => {
  const analyzer = await startAnalyzer({ folder: await temporaryFolder(), port });
  opened.push(analyzer);
  return analyzer;
};

it('openActivationStream settles when the analyzer has welcomed the stream, also if that takes longer than asking for the epoch', async () => {
  const port = await freePort();
  const opening = open(port);
  await new Promise((resolve) => setTimeout(resolve, 2300));
  await analyzerAt(port);
  const { stream, said } = await opening;
  expect(stream.sender.status().connected).toBe(true);
  expect(said.filter(({ msg }) => msg.includes('the talk begins'))).toEqual([]);
});

it('openActivationStream goes on without an analyzer after a while, says so once, and loses no frame', async () => {
  const port = await freePort();
  const { stream, said } = await open(port, 100);
  expect(stream.sender.status().connected).toBe(false);
  expect(said.filter(({ msg }) => msg.includes('the talk begins'))).toHaveLength(1);
  stream.sender.append(stepsFrame(0));
  const analyzer = await analyzerAt(port);
  expect(await stream.sender.drained(10_000)).toBe(true);
  expect(analyzer.recorded).toHaveLength(1);
});

it('openActivationStream asks where the analyzer is when it cannot be reached, for it may have moved unnoticed', async () => {
  const nats = await startNats(['coordinator', 'agent-ada'], { runs: [RUN] });
  opened.push(nats);
  const coordinator = await nats.connect('coordinator');
  const analyzer = await analyzerAt(await freePort());
  coordinator.connection.subscribe(subjects.renewToken(RUN, 'ada'), {
    callback: (_, message) =>
      void message.respond(JSON.stringify({ url: analyzer.url, token: tokenFor('ada') })),
  });
  await coordinator.connection.flush();
  const { stream } = await open(await freePort(), 100, { link: await nats.connect('agent-ada') });
  stream.sender.append(stepsFrame(0));
  expect(await stream.sender.drained(15_000)).toBe(true);
  expect(analyzer.recorded).toHaveLength(1);
});

describe('a token that the analyzer refuses', () => {
  it('is renewed at once, as after a sleep longer than its lifetime', async () => {
    const nats = await startNats(['coordinator', 'agent-ada'], { runs: [RUN] });
    opened.push(nats);
    const coordinator = await nats.connect('coordinator');
    const analyzer = await analyzerAt(await freePort());
    let asked = 0;
    coordinator.connection.subscribe(subjects.renewToken(RUN, 'ada'), {
      callback: (_, message) => {
        asked += 1;
        message.respond(JSON.stringify({ url: analyzer.url, token: tokenFor('ada') }));
      },
    });
    await coordinator.connection.flush();
    const link = await nats.connect('agent-ada');
    const { stream, said } = await open(analyzer.port, 20_000, { link, token: expiredToken(300) });
    // The stream is open when the analyzer says that it opens the recording; the welcome follows.
    await waitFor(() => stream.sender.status().connected);
    expect(asked).toBe(1);
    const warned = said.filter(({ msg }) => msg.includes('refuses the token'));
    expect(warned).toHaveLength(1);
    expect(warned[0]?.why).toMatch(/^status 401: The access token has expired 30[0-9] s ago by the clock/);
    expect(JSON.stringify(said)).not.toContain('--tls-ca');
  });

  it('is reported with the clocks as a likely cause if the next one is refused too', async () => {
    const nats = await startNats(['coordinator', 'agent-ada'], { runs: [RUN] });
    opened.push(nats);
    const coordinator = await nats.connect('coordinator');
    const analyzer = await analyzerAt(await freePort());
    coordinator.connection.subscribe(subjects.renewToken(RUN, 'ada'), {
      callback: (_, message) =>
        void message.respond(JSON.stringify({ url: analyzer.url, token: expiredToken(300) })),
    });
    const link = await nats.connect('agent-ada');
    const { said } = await open(analyzer.port, 2000, { link, token: expiredToken(300) });
    const warned = said.filter(({ msg }) => msg.includes('refuses the token'));
    expect(warned.length).toBeGreaterThan(0);
    expect(warned[0]?.msg).toContain('compare the clocks');
  });
});

/** A token of a coordinator whose clock is that far behind. */
const expiredToken = (seconds: number): string => {
  const claims = {
    run: RUN,
    agent: 'ada',
    stream: 'ada',
    mode: 'write',
    expiresAtMs: Date.now() - seconds * 1000,
  } as const;
  return mintToken(keys.privateKeyPem, claims);
};

/** Closes a stream before the end of the test. */
async function closed(stream: ActivationStream): Promise<void> {
  opened.splice(opened.indexOf(stream), 1);
  await stream.close();
}

describe('a run that is over', () => {
  it('leaves nothing in the data folder of an agent whose frames are all acknowledged', async () => {
    const port = await freePort();
    await analyzerAt(port);
    const { stream, dataFolder } = await open(port);
    stream.sender.append(stepsFrame(0));
    expect(await stream.sender.drained(10_000)).toBe(true);
    await closed(stream);
    expect(await readdir(dataFolder)).toEqual([RUN]);
    await stream.forget();
    expect(await readdir(dataFolder)).toEqual([]);
  });

  it('leaves frames that no analyzer has acknowledged in the spool', async () => {
    const { stream, dataFolder } = await open(await freePort(), 100);
    stream.sender.append(stepsFrame(0));
    await closed(stream);
    await stream.forget();
    expect(await readdir(join(dataFolder, RUN, 'ada'))).toHaveLength(1);
  });
});
