/**
 * Two coordinators with one lease: the one that stands by goes on with the run when the leader is stopped or killed,
 * and a leader that wakes up again changes nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';
import { serviceUser, type ServiceUser } from '../fixtures/programs/service-user.ts';

const STUDY = { scenarios: 6, episodes: 1, maxTurns: 40, maxTokens: 6 };
const SPOKEN = 6 * 2 * 40;
const TAKEOVER_MS = 10_000;
const AGENTS = ['ada', 'ben'] as const;

let folder: string;
let study: string;
let fleet: Fleet;
let operator: ServiceUser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-standby-'));
  study = await writeSmallStudy(folder, STUDY);
  fleet = await createFleet({
    folder,
    study,
    run: '',
    agents: [...AGENTS],
    resident: { users: ['operator'] },
  });
  operator = serviceUser(fleet.nats, 'operator');
});
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

/** When a coordinator took the lease, for each time; milliseconds since 1970. */
function led(program: 'coordinator' | 'standby'): number[] {
  const lines = fleet
    .said(program)
    .split('\n')
    .filter((line) => line.includes('"leads the runs"'));
  return lines.map((line) => (JSON.parse(line) as { time: number }).time);
}

const spoken = async (): Promise<number> => (await readTranscript(fleet.runs, 'shared')).length;

it('hands the run over within ten seconds when the leader is stopped, and again when the next one is killed', async () => {
  await fleet.start('analyzer');
  await fleet.start('coordinator');
  await until('a leader', () => led('coordinator').length === 1 || undefined);
  await fleet.start('standby');
  for (const agent of AGENTS) await fleet.start(`agent-${agent}`);
  // Before the run, much of which is said while a command is answered.
  await until(
    'one that stands by',
    async () => (await operator.fleet()).some(({ state }) => state === 'standby') || undefined,
  );
  expect(await operator.entrain('submit', study, '--name', 'shared')).toMatchObject({ status: 0 });
  await until('some turns', async () => (await spoken()) >= 8 || undefined, 120_000);

  const stoppedMs = Date.now();
  fleet.signal('coordinator', 'SIGSTOP');
  const [takenMs = 0] = await until('the next leader', () =>
    led('standby').length > 0 ? led('standby') : undefined,
  );
  expect(takenMs - stoppedMs).toBeLessThan(TAKEOVER_MS);
  const before = await spoken();
  await until('more turns', async () => (await spoken()) > before || undefined, 60_000);

  // The old leader wakes up, finds its lease over, and stands by.
  fleet.signal('coordinator', 'SIGCONT');
  await until('it stands by', () => fleet.said('coordinator').includes('standing by') || undefined);
  const [leader] = (await operator.fleet()).filter(({ state }) => state === 'leader');
  expect(leader).toBeDefined();
  expect(led('coordinator')).toHaveLength(1);

  const killedMs = Date.now();
  await fleet.kill('standby');
  const [, againMs = 0] = await until('the first one leads', () =>
    led('coordinator').length > 1 ? led('coordinator') : undefined,
  );
  expect(againMs - killedMs).toBeLessThan(TAKEOVER_MS);
  await operator.awaitState('shared', 'finished');
  const { faults, lacking, utterances } = await verifyRun(join(fleet.runs, 'shared'));
  expect({ faults, lacking, utterances }).toEqual({
    faults: [],
    lacking: [],
    utterances: { total: SPOKEN, incomplete: [] },
  });
}, 400_000);
