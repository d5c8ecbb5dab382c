/** Credentials that end: an agent renews them over its link, and one that was removed does not (real nats-server). */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAdmission, type Admission } from '../../../../../src/coordinator/resident/admission.ts';
import { awaitLease, type Lease } from '../../../../../src/coordinator/resident/lease.ts';
import { serveJoins } from '../../../../../src/coordinator/resident/serve-joins.ts';
import { openServiceRows } from '../../../../../src/coordinator/resident/service-rows.ts';
import { systemClock as clock, type Clock } from '../../../../../src/process/clock.ts';
import { credentialsText, readCredentials } from '../../../../../src/transport/nats/access/credentials.ts';
import { readJoinToken } from '../../../../../src/transport/nats/access/join-token.ts';
import { makeKey } from '../../../../../src/transport/nats/access/jwt.ts';
import { subjects } from '../../../../../src/protocol/subjects.ts';
import { renewCredentials } from '../../../../../src/transport/nats/access/renew-credentials.ts';
import { asUser, connectNats, type NatsLink } from '../../../../../src/transport/nats/connection.ts';
import { until } from '../../../../fixtures/programs/demo.ts';
import { startJoinedNats, type JoinedNats } from '../../../../fixtures/programs/joined-nats.ts';

const log = pino({ level: 'silent' });
const LIFE_MS = 4000;
const by = { role: 'operator', name: 'operator' } as const;

let nats: JoinedNats;
let link: NatsLink;
let lease: Lease;
let late = 0;
let admission: Admission;
const shifted: Clock = { ...clock, nowMs: () => clock.nowMs() + late };
beforeAll(async () => {
  nats = await startJoinedNats();
  const own = await nats.options('coordinator');
  link = await connectNats({ ...own, name: 'coordinator', log });
  const held = await awaitLease({ link, clock, log }, new AbortController().signal);
  if (!held) throw new Error('no lease');
  lease = held;
  const rows = await openServiceRows(link, lease, log);
  const isForeign = (agent: string): Promise<boolean> => Promise.resolve(agent === 'local');
  const { joinKeys: keys } = nats;
  admission = createAdmission({
    keys,
    credentialMs: LIFE_MS,
    nats: own,
    rows,
    isForeign,
    hasAnalyzer: () => Promise.resolve(false),
    streamKey: '',
    clock: shifted,
    log,
  });
  serveJoins(link, admission, log);
});
afterAll(async () => {
  await lease.release();
  await link.close();
  await nats.close();
});

async function joined(agent: string): Promise<{ file: string; until: number }> {
  const { id } = await admission.makeToken(by, 'agents');
  const key = makeKey('user');
  const { agents } = await admission.join(id, { agents: [{ agent, key: key.public }], knowsAccounts: true });
  const file = join(nats.folder, `${agent}.creds`);
  await writeFile(file, credentialsText(agents[0]?.jwt ?? '', key.seed), { mode: 0o600 });
  return { file, until: (await readCredentials(agent, file)).claims().expiresAtS ?? 0 };
}

async function connectWith(file: string): Promise<{ link: NatsLink; stop(): void }> {
  const credentials = await readCredentials('creds', file);
  const own = await connectNats({ ...nats.place, ...asUser(credentials), name: 'agent', log });
  return {
    link: own,
    ...renewCredentials(own, { credentials, subject: subjects.renewCredentials('ada'), log }),
  };
}

it('keeps an agent connected beyond the life of what it joined with, and keeps the new one on disk', async () => {
  const { file, until: endS } = await joined('ada');
  const agent = await connectWith(file);
  await new Promise((done) => setTimeout(done, 2.5 * LIFE_MS));
  expect(agent.link.connection.isClosed()).toBe(false);
  // The server cuts each connection when the token of its beginning ends, and the link is made again.
  await until('the link', () => agent.link.up());
  expect((await readCredentials('ada', file)).claims().expiresAtS).toBeGreaterThan(endS);
  expect(await readFile(file, 'utf8')).toContain('BEGIN USER NKEY SEED');

  await admission.bar('ada', true);
  await agent.link.connection.closed();
  agent.stop();
  await expect(connectWith(file)).rejects.toThrow(/Authorization Violation/i);
  expect(() => admission.renew('stranger', { knowsAccounts: true })).toThrow(/did not join/);
}, 40_000);

it('refuses an agent of an earlier version by name, which would find no JetStream in the account of agents', async () => {
  const { id } = await admission.makeToken(by, 'agents');
  const older = { agents: [{ agent: 'gil', key: makeKey('user').public }], knowsAccounts: false };
  await expect(admission.join(id, older)).rejects.toMatchObject({ code: 'VERSION_MISMATCH' });
  expect(() => admission.renew('gil', { knowsAccounts: false })).toThrow(/has an earlier version of entrain/);
  expect((await admission.join(id, { ...older, knowsAccounts: true })).agents).toHaveLength(1);
});

it('refuses a token whose time is over by its own clock, one that nobody made, and a name that is there', async () => {
  const asked = (agent: string) => ({
    agents: [{ agent, key: makeKey('user').public }],
    knowsAccounts: true,
  });
  const { id, token } = await admission.makeToken(by, 'agents');
  await expect(admission.join(id, asked('local'))).rejects.toThrow(/There is an agent "local" here/);
  late = 16 * 60_000;
  const over = await admission.join(id, asked('eve')).catch((error: Error) => error.message);
  const unknown = await admission.join('0000', asked('eve')).catch((error: Error) => error.message);
  expect(over).toBe(unknown);
  expect(over).toContain('lets nobody in');
  expect(() => readJoinToken(token, shifted.nowMs())).toThrow(/time of this token was over/);
  late = 0;
  expect(() => readJoinToken(token.slice(0, 150), 0)).toThrow(/copy all of it/);
});

it('answers at most sixty requests to join a minute', async () => {
  const { id } = await admission.makeToken(by, 'agents');
  const asked = { agents: [{ agent: 'fay', key: makeKey('user').public }], knowsAccounts: true };
  for (let n = 0; n < 60; n += 1) await admission.join('0000', asked).catch(() => undefined);
  await expect(admission.join(id, asked)).rejects.toThrow(/lets nobody in/);
});
