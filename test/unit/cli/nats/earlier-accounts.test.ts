/** Servers of a version in which all programs were of one account: their streams and revocations go on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { connect } from 'nats';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepStreams } from '../../../../src/cli/nats/keep-streams.ts';
import { natsConfig } from '../../../../src/cli/nats/nats-config.ts';
import { keepOperatorKeys } from '../../../../src/cli/serve/operator-keys.ts';
import { names, subjects } from '../../../../src/protocol/subjects.ts';
import { credentialsOf, credentialsText } from '../../../../src/transport/nats/access/credentials.ts';
import { accountJwt, makeKey, publicOf, userJwt } from '../../../../src/transport/nats/access/jwt.ts';
import { asUser, connectNats } from '../../../../src/transport/nats/connection.ts';
import { ANY_RUN, permissionsOf } from '../../../../src/transport/nats/permissions.ts';
import { createRunStream, publishStored } from '../../../../src/transport/nats/streams.ts';
import { until } from '../../../fixtures/programs/demo.ts';
import { startJoinedNats } from '../../../fixtures/programs/joined-nats.ts';
import { findNatsServer } from '../../../fixtures/programs/tools.ts';

const RUN = 'lab';
const STREAM = { name: names.stream(RUN), subjects: subjects.stored(RUN) };
const log = pino({ level: 'silent' });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-earlier-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function withServer<T>(config: string, use: (url: string) => Promise<T>): Promise<T> {
  const file = join(folder, 'nats.conf');
  await writeFile(file, config);
  const server = spawn(findNatsServer(), ['-c', file], { stdio: 'ignore' });
  const url = await until('the port', async () => {
    const ports = (await readdir(folder)).find((name) => name.endsWith(`_${server.pid}.ports`));
    const text = ports ? await readFile(join(folder, ports), 'utf8') : '';
    return text.endsWith('}') ? (JSON.parse(text) as { nats: string[] }).nats[0] : undefined;
  });
  try {
    return await use(url);
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
}

it('a run that such a server has in its store is found by the next start', async () => {
  const storeFolder = join(folder, 'store');
  const users = [{ name: 'coordinator', password: 'x', runs: [RUN] }];
  const config = natsConfig({ storeFolder, portsFolder: folder, users });
  const earlier = `${config.slice(0, config.indexOf('accounts {'))}authorization { user: coordinator, password: x }\n`;
  await withServer(earlier, async (servers) => {
    const connection = await connect({ servers, user: 'coordinator', pass: 'x' });
    await createRunStream(connection, STREAM);
    await publishStored(connection, { subject: subjects.event(RUN, 'run-started'), body: {} });
    await connection.close();
  });
  await keepStreams(storeFolder);
  await withServer(config, async (url) => {
    const link = await connectNats({ url, user: 'coordinator', password: 'x', name: 'x', log });
    expect(await createRunStream(link.connection, STREAM)).toBe(1);
    await link.close();
  });
}, 60_000);

it('who was revoked by such a service stays out, and agents of its machine move to their own account', async () => {
  const { agentsAccount: _, agentsSigning: __, ...keys } = await keepOperatorKeys(folder);
  await writeFile(join(folder, 'operator.json'), JSON.stringify(keys), { mode: 0o600 });
  const { account, accountSigning: by } = keys;
  const user = (name: string) => {
    const { public: key, seed } = makeKey('user');
    return {
      key,
      seed,
      jwt: userJwt(by, { user: key, name, account, permissions: permissionsOf(name, [ANY_RUN]) }),
    };
  };
  const [eve, ben] = [user('agent-eve'), user('agent-ben')];
  const revocations = { [eve.key]: Math.ceil(Date.now() / 1000) + 5 };
  const signing = { account, name: 'entrain', signingKeys: [publicOf(by)], revocations, jetstream: true };
  await mkdir(join(folder, 'accounts'));
  await writeFile(join(folder, 'accounts', `${account}.jwt`), accountJwt(keys.operatorSigning, signing));
  await writeFile(join(folder, 'agent-ben.creds'), credentialsText(ben.jwt, ben.seed), { mode: 0o600 });

  const server = await startJoinedNats(folder);
  try {
    const enter = async (name: string) => connectNats({ ...(await server.options(name)), name, log });
    const coordinator = await enter('coordinator');
    await createRunStream(coordinator.connection, STREAM);
    const link = await enter('agent-ben');
    const client = link.connection.jetstream();
    const turn = subjects.utterance(RUN, { episode: 'e1', turn: 0, agent: 'ben' });
    expect((await client.publish(turn, '{}')).seq).toBe(1);
    await expect(client.consumers.get(STREAM.name, names.talkConsumer('ben'))).rejects.toMatchObject({
      api_error: { err_code: 10_039 },
    });
    await Promise.all([coordinator.close(), link.close()]);
    const again = connectNats({
      ...server.place,
      ...asUser(credentialsOf(eve.jwt, eve.seed)),
      name: 'eve',
      log,
    });
    await expect(again).rejects.toThrow(/Authorization Violation/i);
  } finally {
    await server.close();
  }
}, 60_000);
