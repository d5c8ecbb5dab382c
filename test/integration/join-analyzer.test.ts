/**
 * An analyzer joins a service by one command, records a run there, and is cut off when it is removed; and what neither
 * a token for agents nor an agent's or another analyzer's credentials let anybody do.
 */
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { UNIT } from '../../src/cli/join/unit.ts';
import { ANALYZER_SERVICE, names, subjects } from '../../src/protocol/subjects.ts';
import type { RunView } from '../../src/protocol/service-messages.ts';
import { keepAuthority } from '../../src/transport/http/authority/authority-files.ts';
import {
  makeAuthority,
  makeServerCertificate,
  makeServerRequest,
  type Pair,
} from '../../src/transport/http/authority/certificate.ts';
import {
  credentialsOf,
  readCredentials,
  type Credentials,
} from '../../src/transport/nats/access/credentials.ts';
import { readJoinToken } from '../../src/transport/nats/access/join-token.ts';
import { makeKey } from '../../src/transport/nats/access/jwt.ts';
import { asUser, connectNats, type NatsLink } from '../../src/transport/nats/connection.ts';
import { testModel, until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { findTool } from '../fixtures/programs/tools.ts';
import { freePort } from '../fixtures/programs/free-port.ts';
import {
  command,
  serviceProcess,
  type ServiceProcess,
  type Started,
} from '../fixtures/programs/service-process.ts';

const DAY_MS = 24 * 3600 * 1000;
const log = pino({ level: 'silent' });
const AGENTS = ['--agent', 'ada', '--agent', 'ben', '--model', testModel];
/** The analyzer is another machine than the service: it has an address of its own. */
const AISLE = ['--analyzer', '--id', 'aisle', '--advertise', '127.0.0.2'];

let folder: string;
let aisle: string;
/** Folder of its recordings. */
let runs: string;
let joined: Started;
let service: ServiceProcess;
const links: NatsLink[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-join-analyzer-'));
  aisle = join(folder, 'aisle');
  runs = join(folder, 'recorded');
  service = serviceProcess(folder, [...AGENTS, '--nats-port', String(await freePort())]);
  await service.start();
}, 240_000);
afterAll(async () => {
  await Promise.all(links.map((link) => link.close()));
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A busy machine may not answer a command in time. */
const patiently = <T>(what: string, ask: () => Promise<T>): Promise<T> =>
  until(what, () => ask().catch(() => undefined), 120_000);
const word = (...flags: string[]): Promise<{ id: string; token: string }> =>
  patiently(
    'a token',
    async () =>
      JSON.parse((await service.entrain('token', '--json', ...flags)).out) as { id: string; token: string },
  );
const analyzers = async (): Promise<string[]> =>
  (await patiently('the fleet', () => service.fleet()))
    .filter(({ program }) => program === 'analyzer')
    .map(({ name }) => name)
    .toSorted();

async function connectAs(credentials: Credentials): Promise<NatsLink> {
  const ca = await readFile(join(service.secrets, 'authority', 'ca.crt'), 'utf8');
  const link = await connectNats({
    url: await service.url(),
    tls: { ca },
    ...asUser(credentials),
    name: 'x',
    log,
    waitMs: 60_000,
  });
  links.push(link);
  return link;
}

/** `answered`, the code of the coordinator, or the server's word for a missing permission. */
async function attempt({ connection }: NatsLink, subject: string, body: object = {}): Promise<string> {
  try {
    const answer = (await connection.request(subject, JSON.stringify(body), { timeout: 3000 })).string();
    return (JSON.parse(answer) as { error?: { code: string } }).error?.code ?? 'answered';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

function credentialsIn(token: string): Credentials {
  const { jwt, seed } = readJoinToken(token, 0);
  return credentialsOf(jwt, seed);
}

const REFUSED = 'PERMISSIONS_VIOLATION';
async function newcomer(of: { id?: string; host?: string; request?: string } = {}): Promise<object> {
  const { request } = await makeServerRequest('eve');
  return { analyzer: { id: 'eve', key: makeKey('user').public, host: '127.0.0.3', request, ...of } };
}

/** Plays a small run to its end. @returns the analyzers that recorded it */
async function playedBy(name: string): Promise<string[] | undefined> {
  const study = await writeSmallStudy(folder, { scenarios: 1, episodes: 1, maxTurns: 4, maxTokens: 6 });
  expect(await service.entrain('submit', study, '--name', name)).toMatchObject({ status: 0 });
  const view = await until(
    'the end of the run',
    async () => {
      const { runs: views } = JSON.parse((await service.entrain('runs', '--json')).out) as {
        runs: RunView[];
      };
      const own = views.find(({ run }) => run === name);
      if (own?.state === 'failed') throw new Error(own.reason);
      return own?.state === 'finished' ? own : undefined;
    },
    200_000,
  );
  return view.analyzers;
}

it('lets an analyzer in by one command: it stands in the fleet and records a run', async () => {
  const { token } = await word('--analyzer');
  joined = service.join(aisle, token, ...AISLE, '--runs', runs);
  await until('two analyzers', async () => (await analyzers()).includes('aisle') || undefined, 90_000);
  expect(joined.said()).toContain('as analyzer aisle');
  expect((await stat(join(aisle, 'analyzer', 'server.key'))).mode & 0o777).toBe(0o600);

  // Among analyzers without load the first by name is taken, and "aisle" comes before "analyzer".
  expect(await playedBy('far')).toEqual(['aisle']);
  expect((await readdir(join(runs, 'far', 'streams'))).toSorted()).toEqual(['ada', 'ben']);
}, 400_000);

it('lets no analyzer in by a token for agents, nor agents by one for an analyzer, and says which is needed', async () => {
  const agents = await word();
  const asAgents = await connectAs(credentialsIn(agents.token));
  expect(await attempt(asAgents, subjects.join(agents.id), await newcomer())).toBe('TOKEN_INVALID');
  const tried = await command(['join', agents.token, ...AISLE, '--data', join(folder, 'tried')]);
  expect(tried).toMatchObject({ status: 1, out: '' });
  expect(tried.err).toMatch(/This token lets agents in and no analyzer.*entrain token --analyzer/);
  expect(await analyzers()).toEqual(['aisle', 'analyzer']);

  const { id, token } = await word('--analyzer');
  const link = await connectAs(credentialsIn(token));
  const ask = (body: object): Promise<string> => attempt(link, subjects.join(id), body);
  const agent = { agents: [{ agent: 'eve', key: makeKey('user').public }] };
  expect(await ask(agent)).toBe('TOKEN_INVALID');
  expect(await ask({ ...agent, ...(await newcomer()) })).toBe('MESSAGE_INVALID');
  expect(await ask(await newcomer({ id: 'analyzer' }))).toBe('AGENT_TAKEN');
  expect(await ask(await newcomer({ id: 'aisle' }))).toBe('AGENT_TAKEN');
  // With these it could pose as the NATS server of the service.
  for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST'])
    expect(await ask(await newcomer({ host })), host).toBe('NOT_ALLOWED');
  for (const host of ['*.lab', 'a b', ''])
    expect(await ask(await newcomer({ host })), host).toBe('MESSAGE_INVALID');
  expect(await ask(await newcomer({ request: 'x' }))).toBe('MESSAGE_INVALID');
  const asked = await newcomer();
  expect(await ask(asked)).toBe('answered');
  expect(await ask(asked)).toBe('answered');
  expect(await ask(await newcomer({ id: 'eva' }))).toBe('TOKEN_INVALID');
}, 200_000);

it('lets an agent announce no analyzer, and an analyzer answer for no other', async () => {
  const agent = await connectAs(await readCredentials('ada', join(service.secrets, 'agent-ada.creds')));
  const analyzer = await connectAs(await readCredentials('aisle', join(aisle, 'analyzer', 'analyzer.creds')));
  const refused = async (link: NatsLink, subject: string): Promise<void> => {
    const heard = new Promise((resolve) => link.connection.subscribe(subject, { callback: resolve }));
    expect(await heard, subject).toMatchObject({ code: REFUSED });
  };
  await refused(agent, `$SRV.INFO.${ANALYZER_SERVICE}`);
  for (const question of [subjects.analyzerState, subjects.analyzerFinished, subjects.analyzerDisk])
    await refused(analyzer, question('analyzer'));
  for (const subject of [subjects.tokens('*'), subjects.assign('ada'), subjects.join('*'), '>'])
    await refused(analyzer, subject);
  for (const subject of [
    subjects.analyzerEvent('analyzer'),
    subjects.renewAnalyzer('analyzer'),
    subjects.renewCredentials('ada'),
    subjects.utterance('far', { episode: 'e0001', turn: 1, agent: 'ben' }),
    subjects.service({ role: 'operator', name: 'operator' }, 'token'),
    `$JS.API.STREAM.MSG.GET.${names.stream('far')}`,
    `$KV.${names.rowsBucket}.analyzer.aisle`,
  ])
    expect(await attempt(analyzer, subject), subject).toBe(REFUSED);
  const renew = async (authority: Pair, name: string): Promise<string> => {
    const { cert } = await makeServerCertificate(authority, { name, hosts: ['x'], nowMs: Date.now() });
    return attempt(analyzer, subjects.renewAnalyzer('aisle'), { cert });
  };
  const authority = await keepAuthority(join(service.secrets, 'authority'), Date.now());
  expect(await renew(authority, 'aisle')).toBe('answered');
  expect(await renew(authority, 'analyzer')).toBe('MESSAGE_INVALID');
  expect(await renew(await makeAuthority(Date.now()), 'aisle')).toBe('MESSAGE_INVALID');
  expect(await attempt(analyzer, subjects.renewAnalyzer('aisle'))).toBe('answered');
}, 200_000);

it('goes on by a unit that systemd takes', async () => {
  const ended = once(joined.child, 'exit');
  joined.child.kill('SIGTERM');
  await ended;
  const place = ['--data', aisle, '--runs', runs, '--unit-dir', folder];
  expect(await command(['join', ...AISLE, '--install', ...place])).toMatchObject({ status: 0 });
  const unit = join(folder, UNIT);
  const said = spawnSync(findTool('systemd-analyze'), ['verify', unit], { encoding: 'utf8' });
  expect(said.stderr.split('\n').filter((line) => line.includes(UNIT))).toEqual([]);
  const [, words = ''] = /^ExecStart=(.*)$/m.exec(await readFile(unit, 'utf8')) ?? [];
  const argv = [...words.matchAll(/"([^"]*)"/g)].map(([, word = '']) => word);
  joined = service.join(aisle, ...argv.slice(argv.indexOf('join') + 1));
  await until('the analyzer again', () => joined.said().includes('analyzer     aisle') || undefined, 90_000);
}, 240_000);

it('renews the certificate of an analyzer when half of its life is over, for the same key and host', async () => {
  const [certFile, keyFile] = ['server.crt', 'server.key'].map((file) => join(aisle, 'analyzer', file)) as [
    string,
    string,
  ];
  const authority = await keepAuthority(join(service.secrets, 'authority'), Date.now());
  const nowMs = Date.now() - 500 * DAY_MS;
  const old = await makeServerCertificate(authority, { name: 'aisle', hosts: ['127.0.0.2'], nowMs });
  const ended = once(joined.child, 'exit');
  joined.child.kill('SIGTERM');
  await ended;
  await writeFile(keyFile, old.key);
  await writeFile(certFile, old.cert);
  service.join(aisle, ...AISLE, '--runs', runs);
  const next = await until(
    'another certificate',
    async () => {
      const text = await readFile(certFile, 'utf8');
      return text === old.cert ? undefined : new X509Certificate(text);
    },
    120_000,
  );
  const before = new X509Certificate(old.cert);
  expect(Date.parse(next.validTo) - Date.parse(before.validTo)).toBeGreaterThan(499 * DAY_MS);
  expect(next.publicKey.equals(before.publicKey)).toBe(true);
  expect(next.subjectAltName).toBe(before.subjectAltName);
  // Agents are told of it as of an analyzer that has moved, and go on.
  expect(await playedBy('later')).toEqual(['aisle']);
}, 400_000);

it('cuts off an analyzer that is removed', async () => {
  const own = await readCredentials('aisle', join(aisle, 'analyzer', 'analyzer.creds'));
  const link = await connectAs(own);
  const closed = link.connection.closed();
  expect(await service.entrain('remove', 'nobody', '--analyzer')).toMatchObject({ status: 1 });
  expect(await service.entrain('remove', 'aisle', '--analyzer')).toMatchObject({ status: 0 });
  expect(await closed).toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
  await until('one analyzer', async () => !(await analyzers()).includes('aisle') || undefined, 60_000);
  await expect(connectAs(own)).rejects.toThrow(/Authorization Violation/i);
}, 200_000);
