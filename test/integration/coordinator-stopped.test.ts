/** A coordinator that is told to end releases its agents; its next life invites them again and continues the run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { subjects } from '../../src/protocol/subjects.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { request } from '../../src/transport/nats/services.ts';
import { writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';
import { hearTurns } from '../fixtures/programs/hear-turns.ts';

const RUN = 'stopped';
const STUDY = { scenarios: 2, episodes: 1, maxTurns: 10, maxTokens: 8 };
const TURNS = 2 * 2 * 10;

let folder: string;
let fleet: Fleet;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-stopped-'));
  const study = await writeSmallStudy(folder, STUDY);
  fleet = await createFleet({ folder, study, run: RUN, agents: ['ada', 'ben'] });
});
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

it('a stopped coordinator leaves no agent a member of its run, however often it is stopped, and the run loses nothing', async () => {
  for (const program of ['analyzer', 'agent-ada', 'agent-ben'] as const) await fleet.start(program);
  const { connection } = await fleet.nats.connect('coordinator');
  const memberships = (agent: string): Promise<string> =>
    request(connection, subjects.memberships(agent), { body: {}, timeoutMs: 5000 });
  const spoken = await hearTurns(fleet, RUN);
  for (const turns of [4, 10]) {
    await fleet.start('coordinator');
    await spoken(turns);
    fleet.signal('coordinator', 'SIGTERM');
    expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
    for (const agent of ['ada', 'ben'])
      expect(JSON.parse(await memberships(agent))).toEqual({ runs: [], undrained: [] });
  }
  await fleet.start('coordinator');
  expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
  expect(await readTranscript(fleet.runs, RUN)).toHaveLength(TURNS);
  const { faults, utterances } = await verifyRun(join(fleet.runs, RUN));
  expect(faults).toEqual([]);
  expect(utterances).toEqual({ total: TURNS, incomplete: [] });
}, 400_000);
