/**
 * A coordinator that was killed and does not come back: its agents leave the run by themselves, and are free for
 * another; one that does come back takes them in again.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AGENT_SERVICE, subjects } from '../../src/protocol/subjects.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { findServices, request } from '../../src/transport/nats/services.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, type Fleet } from '../fixtures/programs/fleet.ts';
import { hearTurns } from '../fixtures/programs/hear-turns.ts';

const RUN = 'orphaned';
const STUDY = { scenarios: 2, episodes: 1, maxTurns: 8, maxTokens: 8 };
const TURNS = 2 * 2 * 8;
const AGENTS = ['ada', 'ben'] as const;

let folder: string;
let fleet: Fleet;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-orphaned-'));
  const study = await writeSmallStudy(folder, STUDY);
  fleet = await createFleet({ folder, study, run: RUN, agents: [...AGENTS] });
});
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

it('frees its agents when it was killed, and takes them in again when it is started', async () => {
  await fleet.start('analyzer');
  for (const agent of AGENTS) await fleet.start(`agent-${agent}`, ['--leave-after-seconds', '2']);
  const link = await fleet.nats.connect('coordinator');
  const membershipsOf = async (agent: string): Promise<unknown> =>
    JSON.parse(await request(link.connection, subjects.memberships(agent), { body: {}, timeoutMs: 5000 }));
  const spoken = await hearTurns(fleet, RUN);
  await fleet.start('coordinator');
  await spoken(4);
  for (const agent of AGENTS) expect(await membershipsOf(agent)).toMatchObject({ runs: [RUN] });
  await fleet.kill('coordinator');
  for (const agent of AGENTS)
    await until(
      `agent ${agent} to leave`,
      async () => JSON.stringify(await membershipsOf(agent)) === '{"runs":[],"undrained":[]}',
      60_000,
    );
  // A look takes what is answered in its time; a busy machine may need another one.
  const urls = await until('all agents', async () => {
    const found = await findServices(link, AGENT_SERVICE);
    const all = found.map(({ metadata }) => metadata['metricsUrl'] ?? '');
    return all.length === AGENTS.length ? all : undefined;
  });
  for (const url of urls) {
    expect(await (await fetch(url)).text()).not.toContain(`run="${RUN}"`);
    expect((await fetch(url.replace('/metrics', '/readyz'))).status).toBe(200);
  }
  await fleet.start('coordinator');
  expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
  const { faults, utterances } = await verifyRun(join(fleet.runs, RUN));
  expect({ faults, utterances }).toEqual({ faults: [], utterances: { total: TURNS, incomplete: [] } });
}, 400_000);
