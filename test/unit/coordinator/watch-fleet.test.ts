/** How the coordinator follows programs that come back or move, with a real nats-server and announced services. */
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FleetAgent } from '../../../src/coordinator/fleet.ts';
import { wholeFleet } from '../../../src/coordinator/lead/agent-pool.ts';
import { watchFleet, type WatchOptions } from '../../../src/coordinator/watch-fleet.ts';
import { AGENT_SERVICE, ANALYZER_SERVICE } from '../../../src/protocol/subjects.ts';
import type { NatsLink } from '../../../src/transport/nats/connection.ts';
import { registerService } from '../../../src/transport/nats/services.ts';
import { until } from '../../fixtures/programs/demo.ts';
import { startNats, type NatsFixture } from '../../fixtures/programs/nats-fixture.ts';

const model = { name: 'm', sha256: '0'.repeat(64), layers: 2, dims: 4, provider: 'cpu' };
const OLD_URL = 'ws://127.0.0.1:1/stream';
const NEW_URL = 'ws://127.0.0.1:2/stream';

let nats: NatsFixture;
let link: NatsLink;
const stops: (() => void)[] = [];
beforeEach(async () => {
  nats = await startNats(['coordinator', 'analyzer', 'agent-ada', 'agent-ben']);
  link = await nats.connect('coordinator');
});
afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await nats.close();
});

async function announce(user: string, name: string, metadata: Record<string, string>): Promise<void> {
  const service = { name, version: '1.0.0', description: 'x', metadata, endpoints: [] };
  await registerService(await nats.connect(user), service);
}

const announceAgent = (agent: string): Promise<void> =>
  announce(`agent-${agent}`, AGENT_SERVICE, {
    agent,
    model: model.name,
    sha256: model.sha256,
    layers: '2',
    dims: '4',
    provider: 'cpu',
  });

/** Watches ada and ben; an analyzer is known at `OLD_URL`. */
function watch(options: Partial<WatchOptions>): WatchOptions['known'] {
  const agents = new Map<string, FleetAgent>(
    ['ada', 'ben'].map((agent) => [agent, { model, instance: 'earlier', atOnce: 1 }]),
  );
  const known = { agents, analyzer: { id: 'analyzer', streamUrl: OLD_URL } };
  const ignore = (): Promise<void> => Promise.resolve();
  const { stop } = watchFleet(link, {
    known,
    pool: wholeFleet(link),
    graceMs: 60_000,
    log: pino({ level: 'silent' }),
    onReturned: ignore,
    onLost: ignore,
    onAnalyzerLost: ignore,
    members: () => agents.keys(),
    tellAnalyzer: ignore,
    ...options,
  });
  stops.push(stop);
  return known;
}

it('watchFleet tells each agent where a moved analyzer is until it has taken it, and lets none wait for another', async () => {
  await Promise.all(['ada', 'ben'].map(announceAgent));
  await announce('analyzer', ANALYZER_SERVICE, { id: 'analyzer', streamUrl: NEW_URL });
  const asked: string[] = [];
  const told: string[] = [];
  const known = watch({
    tellAnalyzer: async (agent) => {
      asked.push(agent);
      if (agent === 'ada' && asked.length < 4) throw new Error('no answer');
      told.push(agent);
    },
  });
  await until('both know', () => told.length === 2 || undefined, 20_000);
  expect(told).toEqual(['ben', 'ada']);
  expect(known.analyzer.streamUrl).toBe(NEW_URL);
});

it('watchFleet tells an agent that was away while the analyzer moved', async () => {
  await announceAgent('ada');
  await announce('analyzer', ANALYZER_SERVICE, { id: 'analyzer', streamUrl: NEW_URL });
  const told: string[] = [];
  watch({ tellAnalyzer: async (agent) => void told.push(agent) });
  await until('ada knows', () => told.length === 1 || undefined, 20_000);
  await announceAgent('ben');
  await until('ben knows', () => told.length === 2 || undefined, 20_000);
  expect(told).toEqual(['ada', 'ben']);
});

it('watchFleet welcomes an agent that came back until that succeeds, and the others meanwhile', async () => {
  await Promise.all(['ada', 'ben'].map(announceAgent));
  const tries: string[] = [];
  const known = watch({
    onReturned: async (agent, now) => {
      tries.push(agent);
      known.agents.set(agent, now);
      if (agent === 'ada' && tries.length < 3) throw new Error('no answer');
    },
  });
  await until(
    'ada is welcome',
    () => tries.filter((agent) => agent === 'ada').length === 2 || undefined,
    20_000,
  );
  expect(tries.toSorted()).toEqual(['ada', 'ada', 'ben']);
});

it('watchFleet gives the run to another analyzer once its own has been away for the grace period, and not before', async () => {
  await announceAgent('ada');
  await announce('analyzer', ANALYZER_SERVICE, { id: 'other', streamUrl: NEW_URL });
  const startedMs = performance.now();
  const steps: string[] = [];
  const known = watch({
    graceMs: 4000,
    onAnalyzerLost: async ({ id }) => void steps.push(id),
    tellAnalyzer: async (agent) => void steps.push(agent),
  });
  await until('ada knows', () => steps.includes('ada') || undefined, 20_000);
  expect(performance.now() - startedMs).toBeGreaterThan(3900);
  expect(steps).toEqual(['other', 'ada']);
  expect(known.analyzer.id).toBe('other');
});
