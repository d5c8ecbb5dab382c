/** Machines join a service by a token, and what nobody may do by a token, by credentials, or without them. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinKeysSchema } from '../../src/protocol/join-messages.ts';
import { names, subjects } from '../../src/protocol/subjects.ts';
import type { RunView } from '../../src/protocol/service-messages.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { makeAuthority, makeServerCertificate } from '../../src/transport/http/authority/certificate.ts';
import { credentialsOf, readCredentials } from '../../src/transport/nats/access/credentials.ts';
import { readJoinToken, tokenText } from '../../src/transport/nats/access/join-token.ts';
import { makeKey, userJwt } from '../../src/transport/nats/access/jwt.ts';
import { asUser, connectNats, type NatsLink } from '../../src/transport/nats/connection.ts';
import { permissionsOf } from '../../src/transport/nats/permissions.ts';
import { testModel, until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { command, serviceProcess, type ServiceProcess } from '../fixtures/programs/service-process.ts';

const log = pino({ level: 'silent' });
const MODEL = ['--model', `ada=${testModel}`];
const BEN = ['--agent', 'ben', '--model', testModel];

let folder: string;
let service: ServiceProcess;
let adaFolder: string;
const links: NatsLink[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-join-'));
  adaFolder = join(folder, 'ada');
  service = serviceProcess(folder, BEN);
  await service.start();
}, 180_000);
afterAll(async () => {
  await Promise.all(links.map((link) => link.close()));
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

const stateOf = async (agent: string): Promise<string | undefined> =>
  (await service.fleet()).find(({ name }) => name === agent)?.state;
const authority = (): Promise<string> => readFile(join(service.secrets, 'authority', 'ca.crt'), 'utf8');

async function connectAs(credentials: { jwt: string; seed: string }): Promise<NatsLink> {
  const nats = { url: await service.url(), tls: { ca: await authority() } };
  const link = await connectNats({
    ...nats,
    ...asUser(credentialsOf(credentials.jwt, credentials.seed)),
    name: 'x',
    log,
  });
  links.push(link);
  return link;
}

/** `answered`, the code of the coordinator, or the server's word for a missing permission. */
async function attempt(
  { connection }: NatsLink,
  subject: string,
  body: object | string = {},
): Promise<string> {
  try {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = (await connection.request(subject, text, { timeout: 3000 })).string();
    return (JSON.parse(answer) as { error?: { code: string } }).error?.code ?? 'answered';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

const REFUSED = 'PERMISSIONS_VIOLATION';
const newcomer = (agent: string): object => ({
  agents: [{ agent, key: makeKey('user').public }],
  knowsAccounts: true,
});

it('lets a machine in by the word that serve prints: its agent is in the fleet, and talks', async () => {
  const [, token = ''] = /entrain join (\S+)/.exec(service.said()) ?? [];
  const joined = service.join(adaFolder, token, ...MODEL);
  await until('ada in the fleet', async () => (await stateOf('ada')) === 'free' || undefined, 60_000);
  expect(joined.said()).toContain('joined');
  expect((await stat(join(adaFolder, 'ada.creds'))).mode & 0o777).toBe(0o600);

  const study = await writeSmallStudy(folder, { scenarios: 1, episodes: 1, maxTurns: 4, maxTokens: 6 });
  expect(await service.entrain('submit', study, '--name', 'joined')).toMatchObject({ status: 0 });
  await until(
    'the end of the run',
    async () => {
      const { runs } = JSON.parse((await service.entrain('runs', '--json')).out) as { runs: RunView[] };
      if (runs[0]?.state === 'failed') throw new Error(runs[0].reason);
      return runs[0]?.state === 'finished' || undefined;
    },
    150_000,
  );
  const { faults, utterances } = await verifyRun(join(service.runs, 'joined'));
  expect({ faults, utterances }).toEqual({ faults: [], utterances: { total: 8, incomplete: [] } });
}, 240_000);

describe('a token', () => {
  it('works once, and the same request is answered again', async () => {
    const { token, id } = await service.token();
    const { jwt, seed } = readJoinToken(token, 0);
    const link = await connectAs({ jwt, seed });
    const asked = newcomer('cleo');
    expect(await attempt(link, subjects.join(id), asked)).toBe('answered');
    expect(await attempt(link, subjects.join(id), asked)).toBe('answered');
    expect(await attempt(link, subjects.join(id), newcomer('dan'))).toBe('TOKEN_INVALID');
    const late = await command(['join', token, ...MODEL, '--data', join(folder, 'late')]);
    expect(late).toMatchObject({ status: 1, out: '' });
    expect(late.err).toContain('(TOKEN_INVALID)');
  }, 60_000);

  it('lets its owner ask by this token, and nothing else', async () => {
    const { token, id } = await service.token();
    const link = await connectAs(readJoinToken(token, 0));
    const other = await service.token();
    for (const subject of [
      subjects.join(other.id),
      subjects.renewCredentials('ben'),
      subjects.service({ role: 'operator', name: 'operator' }, 'token'),
      subjects.assign('ben'),
      '$SRV.PING',
      '$JS.API.INFO',
    ])
      expect(await attempt(link, subject), subject).toBe(REFUSED);
    for (const subject of ['>', subjects.tokens('*'), subjects.join('*'), '_INBOX.>']) {
      const refused = new Promise((resolve) => link.connection.subscribe(subject, { callback: resolve }));
      expect(await refused, subject).toMatchObject({ code: REFUSED });
    }
    expect(await attempt(link, subjects.join(id), newcomer('ben'))).toBe('AGENT_TAKEN');
    expect(await attempt(link, subjects.join(id), newcomer('ada'))).toBe('AGENT_TAKEN');
    expect(await attempt(link, subjects.join(id), { agents: [] })).toBe('MESSAGE_INVALID');
  }, 60_000);

  it('is over when it is revoked, for a link that is open too', async () => {
    const { token, id } = await service.token();
    const link = await connectAs(readJoinToken(token, 0));
    const closed = link.connection.closed();
    expect(await service.entrain('token', '--revoke', id)).toMatchObject({ status: 0 });
    expect(await closed).toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
    await expect(connectAs(readJoinToken(token, 0))).rejects.toThrow(/Authorization Violation/i);
  }, 60_000);

  it('is over after its time, by the machine and by the server', async () => {
    const keys = joinKeysSchema.parse(
      JSON.parse(await readFile(join(service.secrets, 'join-keys.json'), 'utf8')),
    );
    const { seed, public: user } = makeKey('user');
    const [account, name] = [keys.account, 'join-0123'];
    const expiresAtS = Math.floor(Date.now() / 1000) - 5;
    const jwt = userJwt(keys.accountSigning, {
      user,
      name,
      account,
      permissions: permissionsOf(name, []),
      expiresAtS,
    });
    const token = tokenText({ url: keys.url, authority: keys.authority, seed, jwt });
    const { status, err } = await command(['join', token, ...MODEL, '--data', join(folder, 'over')]);
    expect({ status, err }).toMatchObject({
      status: 1,
      err: expect.stringContaining('was over at') as string,
    });
    await expect(connectAs({ jwt, seed })).rejects.toThrow(/Authorization Violation/i);
    const forged = userJwt(makeKey('account').seed, {
      user,
      name,
      account,
      permissions: permissionsOf(name, []),
    });
    await expect(connectAs({ jwt: forged, seed })).rejects.toThrow(/Authorization Violation/i);
  }, 60_000);

  it('sends nothing to a server of another authority', async () => {
    const { token } = await service.token();
    const nowMs = Date.now();
    const authority = await makeAuthority(nowMs);
    const pair = await makeServerCertificate(authority, { name: 'x', hosts: ['127.0.0.1'], nowMs });
    let heard = 0;
    const server = createServer((socket) => {
      socket.write('INFO {"server_id":"x","version":"2.9.10","tls_required":true,"max_payload":1048576}\r\n');
      const secured = new TLSSocket(socket, { isServer: true, ...pair });
      secured.on('data', (part: Buffer) => (heard += part.length)).on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `tls://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const word = tokenText({ ...readJoinToken(token, 0), url });
    const { status, err } = await command(['join', word, ...MODEL, '--data', join(folder, 'fooled')]);
    server.close();
    expect({ status, heard }).toEqual({ status: 1, heard: 0 });
    expect(err).toContain('(SERVICE_UNTRUSTED)');
  }, 60_000);
});

describe('an agent that joined', () => {
  it('may do nothing that is another’s', async () => {
    const credentials = await readCredentials('ada', join(adaFolder, 'ada.creds'));
    const link = await connectAs({ jwt: credentials.jwt(), seed: credentials.seed });
    for (const subject of [
      subjects.join('0123'),
      subjects.renewCredentials('ben'),
      subjects.service({ role: 'operator', name: 'operator' }, 'token'),
      subjects.service({ role: 'operator', name: 'operator' }, 'remove'),
      subjects.utterance('joined', { episode: 'e0001', turn: 1, agent: 'ben' }),
      subjects.event('joined', 'run-finished'),
      `$KV.${names.rowsBucket}.member.ben`,
      `$JS.API.STREAM.MSG.GET.${names.stream('joined')}`,
      '$SYS.REQ.CLAIMS.UPDATE',
    ])
      expect(await attempt(link, subject), subject).toBe(REFUSED);
    for (const subject of [
      subjects.heardTokens('*', 'ben'),
      subjects.assign('ben'),
      '_INBOX_agent-ben.>',
      '>',
    ]) {
      const refused = new Promise((resolve) => link.connection.subscribe(subject, { callback: resolve }));
      expect(await refused, subject).toMatchObject({ code: REFUSED });
    }
    expect(await attempt(link, subjects.renewCredentials('ada'), { knowsAccounts: true })).toBe('answered');
  }, 60_000);

  it('is cut off when it is removed, stays out after a restart of all, and joins anew by a new token', async () => {
    const { jwt, seed } = await readCredentials('ada', join(adaFolder, 'ada.creds')).then((ada) => ({
      jwt: ada.jwt(),
      seed: ada.seed,
    }));
    const link = await connectAs({ jwt, seed });
    const closed = link.connection.closed();
    const old = await service.token();
    expect(await service.entrain('remove', 'ada')).toMatchObject({ status: 0 });
    expect(await closed).toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
    await service.stop();
    await service.start();
    await expect(connectAs({ jwt, seed })).rejects.toThrow(/Authorization Violation/i);
    const earlier = await command(['join', old.token, ...MODEL, '--data', join(folder, 'earlier')]);
    expect(earlier.err).toMatch(/\((AGENT_TAKEN|NATS_UNREACHABLE)\)/);
    service.join(adaFolder, (await service.token()).token, ...MODEL);
    await until('ada again', async () => (await stateOf('ada')) === 'free' || undefined, 60_000);
    await expect(connectAs({ jwt, seed })).rejects.toThrow(/Authorization Violation/i);
  }, 240_000);
});
