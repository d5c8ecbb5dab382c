/** Which programs Prometheus is told to watch, with a real nats-server. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NAMED_MS, scrapeTargets } from '../../../../src/coordinator/lead/scrape-targets.ts';
import { systemClock, type Clock } from '../../../../src/process/clock.ts';
import { AGENT_SERVICE, ANALYZER_SERVICE, COORDINATOR_SERVICE } from '../../../../src/protocol/subjects.ts';
import { ANY_RUN } from '../../../../src/transport/nats/permissions.ts';
import type { NatsLink } from '../../../../src/transport/nats/connection.ts';
import { registerService } from '../../../../src/transport/nats/services.ts';
import { startNats, type NatsFixture } from '../../../fixtures/programs/nats-fixture.ts';

let nats: NatsFixture;
let agent: NatsLink;
let analyzer: NatsLink;
let coordinator: NatsLink;
beforeEach(async () => {
  nats = await startNats(['coordinator', 'analyzer', 'agent-ada'], { runs: [ANY_RUN] });
  [agent, analyzer, coordinator] = await Promise.all([
    nats.connect('agent-ada'),
    nats.connect('analyzer'),
    nats.connect('coordinator'),
  ]);
});
afterEach(() => nats.close());

/** A busy machine may not answer the first look. */
const PATIENT = { timeout: 20_000, interval: 100 };

const announce = (link: NatsLink, name: string, metadata: Record<string, string>) =>
  registerService(link, { name, version: '1.0.0', description: '', metadata, endpoints: [] });

it('names a program that is gone for a while, by its present address, and a coordinator only while it answers', async () => {
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
  const ask = scrapeTargets(coordinator, clock);
  const places = async (): Promise<string[]> => (await ask()).flatMap(({ targets }) => targets).toSorted();
  const first = await announce(agent, AGENT_SERVICE, { agent: 'ada', metricsUrl: 'http://h1:1/metrics' });
  await announce(analyzer, ANALYZER_SERVICE, { id: 'one', metricsUrl: 'https://h2:2/metrics' });
  const leads = await announce(coordinator, COORDINATOR_SERVICE, { metricsUrl: 'https://h3:3/metrics' });
  await expect.poll(places, PATIENT).toEqual(['h1:1', 'h2:2', 'h3:3']);
  // They come in the order in which the programs answered.
  const labels = (await ask()).find((one) => one.targets[0] === 'h2:2')?.labels;
  expect(labels).toMatchObject({ __scheme__: 'https', program: 'analyzer' });

  await first.stop();
  await leads.stop();
  await expect.poll(places, PATIENT).toEqual(['h1:1', 'h2:2']);
  const second = await announce(agent, AGENT_SERVICE, { agent: 'ada', metricsUrl: 'http://h1:9/metrics' });
  await expect.poll(places, PATIENT).toEqual(['h1:9', 'h2:2']);
  await second.stop();
  aheadMs = NAMED_MS + 1000;
  await expect.poll(places, PATIENT).toEqual(['h2:2']);
});

it('leaves out what another machine serves to itself alone', async () => {
  const ask = scrapeTargets(coordinator, systemClock);
  const metadata = { agent: 'ada', metricsUrl: 'http://127.0.0.1:1/metrics' };
  const service = { name: AGENT_SERVICE, version: '1.0.0', metadata: { ...metadata, machine: 'another' } };
  const far = await agent.connection.services.add(service);
  expect(await ask()).toEqual([]);
  await far.stop();
  await announce(agent, AGENT_SERVICE, metadata);
  const places = async (): Promise<string[]> => (await ask()).flatMap(({ targets }) => targets);
  await expect.poll(places, PATIENT).toEqual(['127.0.0.1:1']);
});
