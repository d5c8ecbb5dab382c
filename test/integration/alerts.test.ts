/**
 * Alerts of deploy/alerts.yml by their real faults: programs are killed, frozen and filled up while a real Prometheus
 * watches them, with the same rules in a world in which a minute takes five seconds. Left alone, nothing fires.
 * Five seconds are little on a busy machine, so vitest.config.ts leaves it out unless it is asked for.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { writeFastRules } from '../fixtures/programs/fast-rules.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';
import { freePort } from '../fixtures/programs/free-port.ts';
import { startPrometheusIn, type PrometheusProcess } from '../fixtures/programs/prometheus.ts';
import { serviceUser, type ServiceUser } from '../fixtures/programs/service-user.ts';

const AGENTS = ['ada', 'ben'] as const;
const MODEL = 'models/entrain-dialogue-300k';
const DISK_BYTES = 64 * 2 ** 20;
const WELL_MS = 15_000;
const FIRES_MS = 90_000;

let folder: string;
let study: string;
let fleet: Fleet;
let operator: ServiceUser;
let prometheus: PrometheusProcess;
let isMounted = false;
const ports = { coordinator: 0, standby: 0 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-alerts-'));
  study = await writeSmallStudy(folder, {
    scenarios: 1,
    episodes: 50,
    maxTurns: 200,
    maxTokens: 6,
    conditions: ['live'],
  });
  const models = Object.fromEntries(AGENTS.map((agent) => [agent, MODEL]));
  fleet = await createFleet({
    folder,
    study,
    run: '',
    agents: [...AGENTS],
    models,
    resident: { users: ['operator'] },
    agentFlags: ['--spool-mb', '1', '--at-once', '1'],
  });
  operator = serviceUser(fleet.nats, 'operator');
  isMounted = mountSmall(fleet.runs);
  for (const program of ['coordinator', 'standby'] as const) {
    ports[program] = await freePort();
    await startCoordinator(program);
  }
  for (const program of ['analyzer', 'agent-ada', 'agent-ben'] as const) await fleet.start(program);
  const rules = join(folder, 'alerts.yml');
  await writeFastRules(rules);
  const discovery = Object.values(ports).map(
    (port) => `  - { url: "http://127.0.0.1:${port}/api/targets", refresh_interval: 1s }`,
  );
  prometheus = await startPrometheusIn(folder, ['http_sd_configs:', ...discovery], rules);
}, 300_000);

afterAll(async () => {
  prometheus.child.kill('SIGTERM');
  await new Promise((resolve) => prometheus.child.once('close', resolve));
  await fleet.close();
  if (isMounted) execFileSync('umount', [fleet.runs]);
  await rm(folder, { recursive: true, force: true });
});

/** Only root may mount; without, no disk is filled. */
function mountSmall(place: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', place], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const startCoordinator = (program: 'coordinator' | 'standby'): Promise<void> =>
  fleet.start(program, ['--port', String(ports[program]), '--any-size']);

async function moreTurns(count: number): Promise<void> {
  const before = (await readTranscript(fleet.runs, 'watched')).length;
  const spoken = async (): Promise<boolean> =>
    (await readTranscript(fleet.runs, 'watched')).length >= before + count;
  await until(`${count} more turns`, spoken, 90_000).catch(async (cause: unknown) => {
    throw new Error(JSON.stringify([...(await operator.runs()).values()]), { cause });
  });
}

async function query(expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
  const asked = new URLSearchParams({ query: expr }).toString();
  const answer = await fetch(`${prometheus.url}/api/v1/query?${asked}`);
  const { data } = (await answer.json()) as { data: { result: Awaited<ReturnType<typeof query>> } };
  return data.result;
}

/** What fires now, or has fired within `over`. */
async function firing(over?: string): Promise<Set<string>> {
  const all = 'ALERTS{alertstate="firing"}';
  const found = await query(over === undefined ? all : `max_over_time(${all}[${over}])`);
  return new Set(found.map(({ metric }) => metric['alertname'] ?? ''));
}

async function fires(...alerts: string[]): Promise<void> {
  const seen = new Set<string>();
  await expect
    .poll(
      async () => {
        for (const alert of await firing()) seen.add(alert);
        return alerts.filter((alert) => !seen.has(alert));
      },
      { timeout: FIRES_MS, interval: 500 },
    )
    .toEqual([]);
}

/** Everything answers and nothing fires any more. */
const allWell = (): Promise<boolean> =>
  until('all well', async () => (await firing()).size === 0 || undefined, FIRES_MS);

describe('alerts, by a real Prometheus and real faults', () => {
  it('fire when a run fails, and not after it was given up', async () => {
    const scenario = {
      id: 'x',
      // more tokens than its model has room for
      text: '7 3 9 1 '.repeat(490),
      people: [{}, {}].map(() => ({ persona: 'A', goal: 'B', secret: 'C' })),
    };
    const bad = join(folder, 'bad.json');
    await writeFile(
      bad,
      JSON.stringify({ name: 'bad', pairs: [AGENTS], scenarios: [scenario], episodes: 1, maxTokens: 4 }),
    );
    expect(await operator.entrain('submit', bad, '--name', 'bad')).toMatchObject({ status: 0 });
    await fires('EntrainRunsFailed');
    await operator.entrain('stop', 'bad');
    await allWell();
  }, 180_000);

  it('are silent while a run goes well', async () => {
    expect(await operator.entrain('submit', study, '--name', 'watched')).toMatchObject({ status: 0 });
    await moreTurns(6);
    await until('five programs watched', async () => (await query('up == 1')).length === 5 || undefined);
    const fired = await firing('1h');
    await new Promise((done) => setTimeout(done, WELL_MS));
    // Those of the test before are over.
    expect([...(await firing('1h'))]).toEqual([...fired]);
    expect([...(await firing(`${WELL_MS}ms`))]).toEqual([]);
  }, 240_000);

  it('fire when the disk of recordings is full', async ({ skip }) => {
    skip(!isMounted, 'only root may mount a small file system');
    const ballast = join(fleet.runs, 'ballast');
    const { bavail, bsize } = await statfs(fleet.runs);
    await writeFile(ballast, Buffer.alloc(bavail * bsize - DISK_BYTES / 40));
    await fires('EntrainDiskFull');
    await rm(ballast);
    await allWell();
  }, 180_000);

  it('fire when the analyzer is frozen, and when it is killed; its budget is said by the next one', async () => {
    fleet.signal('analyzer', 'SIGSTOP');
    // How soon a spool is full, and nobody speaks, depends on the machine; the analyzer is given up after a minute.
    await fires('EntrainTargetDown', 'EntrainAckLag');
    await fleet.kill('analyzer');
    await fires('EntrainStreamDown');
    await fleet.start('analyzer', ['--budget-gb', '0.001']);
    await fires('EntrainRecordingRoom');
    await fleet.kill('analyzer');
    await fleet.start('analyzer');
    await moreTurns(2);
    await allWell();
  }, 300_000);

  it('fire when an agent is frozen', async () => {
    fleet.signal('agent-ada', 'SIGSTOP');
    await fires('EntrainTargetDown', 'EntrainNoTurn');
    fleet.signal('agent-ada', 'SIGCONT');
    await moreTurns(2);
    await allWell();
  }, 180_000);

  it('fire when NATS is killed, and when all coordinators are', async () => {
    await fleet.nats.kill();
    await fires('EntrainNatsDown');
    await fleet.nats.restart();
    await moreTurns(2);
    for (const program of ['coordinator', 'standby'] as const) await fleet.kill(program);
    await fires('EntrainNoLeader', 'EntrainCoordinatorGone');
    for (const program of ['coordinator', 'standby'] as const) await startCoordinator(program);
    await moreTurns(2);
    await allWell();
  }, 300_000);
});
