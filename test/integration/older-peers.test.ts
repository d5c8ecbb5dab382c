/**
 * Programs of protocol version 1 on the NATS server of a run of version 2: whichever of them is the older one, somebody
 * says so by name, and nothing waits in silence.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Service } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_SERVICE, ANALYZER_SERVICE } from '../../src/protocol/subjects.ts';
import { request } from '../../src/transport/nats/services.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, type Fleet, type Program } from '../fixtures/programs/fleet.ts';

const STUDY = { scenarios: 1, episodes: 1, maxTurns: 2, maxTokens: 4 };

let folder: string;
let fleet: Fleet;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-older-'));
  const study = await writeSmallStudy(folder, STUDY);
  fleet = await createFleet({ folder, study, run: 'lab', agents: ['ada', 'ben'] });
});
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

/** Announces a program as version 1 did, which said nothing of a protocol. */
async function announceOlder(user: string, name: string, metadata: Record<string, string>): Promise<Service> {
  const { connection } = await fleet.nats.connect(user);
  return connection.services.add({ name, version: '0.1.0', description: 'x', metadata });
}

async function ready(program: Program, mark: string): Promise<void> {
  await fleet.start(program);
  await until(`${program} is ready`, () => fleet.said(program).includes(mark) || undefined);
}

/** Exit status of a coordinator, and what it said. */
async function coordinate(): Promise<{ status: number | null; said: string }> {
  const before = fleet.said('coordinator').length;
  await fleet.start('coordinator', ['--wait-seconds', '60']);
  const status = await fleet.ended('coordinator');
  return { status, said: fleet.said('coordinator').slice(before) };
}

describe('a program of protocol version 1', { timeout: 120_000 }, () => {
  it('is named by the coordinator if it is the analyzer', async () => {
    await ready('agent-ada', 'agent ready');
    await ready('agent-ben', 'agent ready');
    const metadata = { id: 'analyzer', streamUrl: 'ws://127.0.0.1:9/stream', httpUrl: 'http://127.0.0.1:9' };
    const older = await announceOlder('analyzer', ANALYZER_SERVICE, metadata);
    const { status, said } = await coordinate();
    expect(status).toBe(1);
    expect(said).toMatch(/The analyzer "analyzer" speaks version 1 of the protocol/);
    expect(said).toContain('VERSION_MISMATCH');
    await older.stop();
  });

  it('is named by the coordinator if it is an agent', async () => {
    await ready('analyzer', 'analyzer ready');
    await fleet.kill('agent-ada');
    const model = { model: 'm', sha256: '0'.repeat(64), layers: '2', dims: '4', provider: 'cpu' };
    const older = await announceOlder('agent-ada', AGENT_SERVICE, { agent: 'ada', ...model });
    const { status, said } = await coordinate();
    expect(status).toBe(1);
    expect(said).toMatch(/The agent "ada" speaks version 1 of the protocol/);
    expect(said).toContain('VERSION_MISMATCH');
    await older.stop();
  });

  it('is refused by name by the analyzer if it is the coordinator', async () => {
    const { connection } = await fleet.nats.connect('coordinator');
    for (const question of ['disk', 'state', 'finished'])
      await expect(
        request(connection, `entrain.v1.analyzer.analyzer.${question}`, { body: {}, timeoutMs: 5000 }),
      ).rejects.toThrow(/coordinator of protocol version 1 .* \(VERSION_MISMATCH\)/);
    expect(fleet.said('analyzer')).toContain('VERSION_MISMATCH');
  });

  it('is named in the log of an agent if it is the coordinator; there the agent may not answer', async () => {
    const { connection } = await fleet.nats.connect('coordinator');
    for (const question of ['runs', 'assign', 'release', 'prompt-tokens'])
      await expect(
        request(connection, `entrain.v1.agent.ben.${question}`, { body: {}, timeoutMs: 500 }),
      ).rejects.toMatchObject({ code: 'TIMEOUT' });
    const named = (): number => fleet.said('agent-ben').split('VERSION_MISMATCH').length - 1;
    // Nothing says when the agent has taken a question, since it may not answer.
    await until('all four named', () => named() >= 4);
    expect(named()).toBe(4);
  });
});
