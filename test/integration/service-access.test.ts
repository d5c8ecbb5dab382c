/**
 * Who may what of the service: the credentials of an agent, of a submitter, of the viewer and none, each tried on what
 * the others may do. The NATS server refuses, and what reaches the coordinator in another's name stands in its log.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COORDINATOR_SERVICE, names, subjects } from '../../src/protocol/subjects.ts';
import { findServices } from '../../src/transport/nats/services.ts';
import { makeCertificates } from '../fixtures/programs/certificates.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, type Fleet } from '../fixtures/programs/fleet.ts';
import { startPrometheusIn } from '../fixtures/programs/prometheus.ts';
import { serviceUser } from '../fixtures/programs/service-user.ts';

const RUN = 'secret';
const STREAM = names.stream(RUN);
const ROWS = `KV_${names.rowsBucket}`;

let folder: string;
let fleet: Fleet;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-service-access-'));
  const study = await writeSmallStudy(folder, { scenarios: 1, episodes: 1, maxTurns: 2, maxTokens: 4 });
  const resident = { users: ['submitter-alice', 'submitter-bob', 'operator', 'viewer'] };
  const coordinatorFlags = ['--submitter-runs', '2'];
  fleet = await createFleet({ folder, study, run: '', agents: ['ada'], resident, coordinatorFlags });
  await fleet.start('coordinator');
  await until('a leader', () => fleet.said('coordinator').includes('leads the runs') || undefined);
  const alice = serviceUser(fleet.nats, 'submitter-alice');
  expect(await alice.entrain('submit', study, '--name', RUN)).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

/** `answered`, or why not: the server's word for a missing permission, or the code of the coordinator. */
async function attempt(connection: NatsConnection, subject: string, body: object): Promise<string> {
  try {
    const text = (await connection.request(subject, JSON.stringify(body), { timeout: 5000 })).string();
    const { error } = JSON.parse(text) as { error?: { code: string } };
    return error ? error.code : 'answered';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

const alice = { role: 'submitter', name: 'alice' };
const bob = { role: 'submitter', name: 'bob' };
const operator = { role: 'operator', name: 'operator' };
const REFUSED = 'PERMISSIONS_VIOLATION';

const ATTEMPTS: readonly (readonly [what: string, subject: string, body: object])[] = [
  ['list runs as alice', subjects.service(alice, 'runs'), {}],
  ['stop a run as alice', subjects.service(alice, 'stop'), { run: RUN }],
  ['list runs as the operator', subjects.service(operator, 'runs'), {}],
  ['remove an agent as the operator', subjects.service(operator, 'remove'), { agent: 'ada' }],
  ['write a row', `$KV.${names.rowsBucket}.agent.ada`, { is: 'removed' }],
  ['take the lease', `$KV.${names.leaseBucket}.coordinator`, {}],
  [
    'read the rows',
    `$JS.API.STREAM.MSG.GET.${ROWS}`,
    { last_by_subj: `$KV.${names.rowsBucket}.run.${RUN}.submission` },
  ],
  ['read the run', `$JS.API.STREAM.MSG.GET.${STREAM}`, { seq: 1 }],
  ['delete the rows', `$JS.API.STREAM.DELETE.${ROWS}`, {}],
  ['say who has a role', subjects.episodeEvent(RUN, 'e0001', 'episode-finished.e0001'), {}],
];

describe('the service', () => {
  it.each(['agent-ada', 'viewer', 'submitter-bob'])('lets %s do nothing that is another’s', async (user) => {
    const { connection } = await fleet.nats.connect(user);
    for (const [what, subject, body] of ATTEMPTS)
      expect(await attempt(connection, subject, body), `${user}: ${what}`).toBe(REFUSED);
  });

  it('answers a submitter about its own runs alone', async () => {
    const { connection } = await fleet.nats.connect('submitter-bob');
    const ask = (verb: string, body: object) => attempt(connection, subjects.service(bob, verb), body);
    expect(await ask('runs', {})).toBe('answered');
    expect(await ask('fleet', {})).toBe('answered');
    for (const verb of ['stop', 'resume', 'files']) expect(await ask(verb, { run: RUN })).toBe('RUN_UNKNOWN');
    expect(await ask('file', { run: RUN, path: 'run.json', offset: 0 })).toBe('RUN_UNKNOWN');
    expect(await ask('drain', { agent: 'ada' })).toBe('NOT_ALLOWED');
    expect(await ask('submit', { run: RUN, study: {}, priority: 0 })).toBe('MESSAGE_INVALID');
    expect(await ask('shutdown', {})).toBe('MESSAGE_INVALID');
    const log = fleet.said('coordinator');
    expect(log).toMatch(/"by":"submitter bob","act":"drain","asked":"ada","code":"NOT_ALLOWED"/);
  });

  it('takes as many runs of a submitter as may wait or run, and tells what happened in them to their own', async () => {
    const study = join(folder, 'study.json');
    const [one, two] = ['submitter-bob', 'submitter-alice'].map((name) => serviceUser(fleet.nats, name));
    for (const name of ['b1', 'b2'])
      expect(await one?.entrain('submit', study, '--name', name)).toMatchObject({ status: 0 });
    const third = await one?.entrain('submit', study, '--name', 'b3');
    expect(third).toMatchObject({ status: 1, err: expect.stringContaining('(QUOTA_REACHED)') as string });
    expect(await one?.entrain('submit', study, '--name', 'b1')).toMatchObject({ status: 0 });
    expect(await two?.entrain('submit', study, '--name', 'a2')).toMatchObject({ status: 0 });
    expect(await one?.entrain('stop', 'b2')).toMatchObject({ status: 0 });
    expect(await one?.entrain('submit', study, '--name', 'b3')).toMatchObject({ status: 0 });
    const back = await one?.entrain('resume', 'b2');
    expect(back).toMatchObject({ status: 1, err: expect.stringContaining('(QUOTA_REACHED)') as string });
    // A run that waits has no log yet; that of another is one that is not there.
    expect(await one?.entrain('logs', 'b1')).toEqual({ status: 0, out: '', err: '' });
    expect((await one?.entrain('logs', RUN))?.err).toContain('(RUN_UNKNOWN)');
  }, 120_000);

  it('keeps out who has no password, or another’s', async () => {
    const { status, err } = await serviceUser(fleet.nats, 'operator', 'guessed').entrain('runs');
    expect(status).not.toBe(0);
    expect(err).toContain('(NATS_UNREACHABLE)');
  });

  it('leads out of no run folder', async () => {
    const { connection } = await fleet.nats.connect('submitter-alice');
    const ask = (path: string) =>
      attempt(connection, subjects.service(alice, 'file'), { run: RUN, path, offset: 0 });
    for (const path of ['../../keys/stream-private.pem', '/etc/passwd', 'running.1', 'secrets/x'])
      expect(await ask(path)).toBe('FILE_UNUSABLE');
  });
});

describe('/api/targets', () => {
  it('leads a real Prometheus to each program, and to an agent that joins later, without an edit', async () => {
    const link = await fleet.nats.connect('coordinator');
    const leader = await until('the leader', async () => (await findServices(link, COORDINATOR_SERVICE))[0]);
    const { origin } = new URL(leader.metadata['metricsUrl'] ?? '');
    const place = await mkdtemp(join(folder, 'prometheus-'));
    const discovery = `  - { url: "${origin}/api/targets", refresh_interval: 1s }`;
    const { child, url } = await startPrometheusIn(place, ['http_sd_configs:', discovery]);
    const isUp = async (program: string): Promise<true | undefined> => {
      const query = new URLSearchParams({ query: `up{program="${program}"}` });
      const { data } = (await (await fetch(`${url}/api/v1/query?${query.toString()}`)).json()) as {
        data: { result: { value: [number, string] }[] };
      };
      return (data.result.length === 1 && data.result[0]?.value[1] === '1') || undefined;
    };
    try {
      await until('the coordinator scraped', () => isUp('coordinator'));
      expect(await isUp('agent')).toBeUndefined();
      await fleet.start('agent-ada');
      await until('the agent scraped', () => isUp('agent'), 120_000);
    } finally {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('close', resolve));
    }
  }, 200_000);
});

describe('entrain doctor --service', () => {
  it('finds all well, and names a taken port and a certificate that has ended', async () => {
    const operator = serviceUser(fleet.nats, 'operator');
    const sound = await operator.entrain('doctor', '--service', '--runs', folder);
    expect(sound).toMatchObject({ status: 0, err: '' });
    for (const line of [/^nats +well +nats-server \d/m, /^clock +well/m, /^versions +well/m, /^disk +well/m])
      expect(sound.out).toMatch(line);
    const certificates = await makeCertificates([{ name: 'old', hosts: ['localhost'], days: -1 }]);
    const taken = new URL(fleet.nats.url).port;
    const argv = [
      '--port',
      taken,
      '--certificate',
      certificates.of('old').cert,
      '--certificate',
      certificates.ca,
    ];
    const ill = await operator.entrain('doctor', '--service', '--json', ...argv);
    await rm(certificates.folder, { recursive: true, force: true });
    expect(ill.status).toBe(1);
    const { findings } = JSON.parse(ill.out) as {
      findings: { check: string; isWell: boolean; cure?: string }[];
    };
    expect(findings.filter(({ isWell }) => !isWell).map(({ check }) => check)).toEqual([
      'port',
      'certificate',
    ]);
    for (const { isWell, cure } of findings) expect(cure === undefined).toBe(isWell);
  });

  it('says that nobody may come in with a wrong password', async () => {
    const { status, out } = await serviceUser(fleet.nats, 'operator', 'guessed').entrain(
      'doctor',
      '--service',
    );
    expect(status).toBe(1);
    expect(out).toMatch(/^nats +WRONG/m);
  });
});
