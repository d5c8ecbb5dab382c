/** What an agent waits for before it says that it has joined: a real analyzer end that is there, comes late, or never. */
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { openActivationStream, type ActivationStream } from '../../../src/agent-node/activation-stream.ts';
import { systemClock } from '../../../src/process/clock.ts';
import type { NatsLink } from '../../../src/transport/nats/connection.ts';
import { freePort } from '../../fixtures/programs/free-port.ts';
import {
  RUN,
  startAnalyzer,
  stepsFrame,
  temporaryFolder,
  tokenFor,
  type TestAnalyzer,
} from '../../fixtures/stream/stream-fixture.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

interface Said {
  level: number;
  msg: string;
}

/** With its log, a line an entry. */
async function open(port: number, welcomeMs?: number): Promise<{ stream: ActivationStream; said: Said[] }> {
  const said: Said[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => said.push(JSON.parse(line) as Said) });
  const stream = await openActivationStream({
    agent: 'ada',
    assignment: {
      run: RUN,
      stream: 's',
      specConsumer: 'p',
      talkConsumer: 'u',
      analyzer: { url: `ws://127.0.0.1:${port}/stream`, token: tokenFor('ada') },
    },
    dataFolder: await temporaryFolder(),
    spoolMaxBytes: 2 ** 24,
    tls: {},
    // Only asked for a new token, minutes from now.
    link: {} as NatsLink,
    clock: systemClock,
    log,
    ...(welcomeMs === undefined ? {} : { welcomeMs }),
  });
  opened.push(stream);
  return { stream, said };
}

const analyzerAt = async (port: number): Promise<TestAnalyzer> => {
  const analyzer = await startAnalyzer({ folder: await temporaryFolder(), port });
  opened.push(analyzer);
  return analyzer;
};

it('is open once the analyzer has welcomed it, also where that takes longer than to ask for the epoch', async () => {
  const port = await freePort();
  const opening = open(port);
  await new Promise((resolve) => setTimeout(resolve, 2300));
  await analyzerAt(port);
  const { stream, said } = await opening;
  expect(stream.sender.status().connected).toBe(true);
  expect(said.filter(({ msg }) => msg.includes('the talk begins'))).toEqual([]);
});

it('goes on without an analyzer after a while, says so once, and loses nothing', async () => {
  const port = await freePort();
  const { stream, said } = await open(port, 100);
  expect(stream.sender.status().connected).toBe(false);
  expect(said.filter(({ msg }) => msg.includes('the talk begins'))).toHaveLength(1);
  stream.sender.append(stepsFrame(0));
  const analyzer = await analyzerAt(port);
  expect(await stream.sender.drained(10_000)).toBe(true);
  expect(analyzer.recorded).toHaveLength(1);
});
