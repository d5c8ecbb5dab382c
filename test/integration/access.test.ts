/**
 * The permissions as one table, with a real nats-server and a real analyzer: roles × families of subjects, kinds of
 * token × the activation stream, and the HTTP paths that are open to all.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, Events, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { writeKeys } from '../../src/cli/keys.ts';
import { decodeMessage, encodeMessage } from '../../src/protocol/stream/codec.ts';
import type { StreamMessage } from '../../src/protocol/stream/frames.ts';
import { names, subjects } from '../../src/protocol/subjects.ts';
import { createKeys, mintToken, type TokenClaims } from '../../src/transport/stream/auth/access-token.ts';
import { until } from '../fixtures/programs/demo.ts';
import { startNats, type NatsFixture } from '../fixtures/programs/nats-fixture.ts';

const RUN = 'r1';
/** A run in which none of these users takes part. */
const OTHER = 'r2';
const EPISODE = 'entrain.v2.r1.episode.e1';
const STREAM = names.stream(RUN);
const OTHER_STREAM = names.stream(OTHER);
const LETTERS = { coordinator: 'C', analyzer: 'N', supervisor: 'S', viewer: 'V', 'agent-ada': 'A' } as const;
type Role = keyof typeof LETTERS;
const ROLES = Object.keys(LETTERS) as Role[];
const NATS_TABLE: [family: string, subject: string, ...allowed: [publish: string, subscribe: string]][] = [
  ['the spec of ada', subjects.spec(RUN, 'e1', 'ada'), 'C', ''],
  ['the spec of ben', subjects.spec(RUN, 'e1', 'ben'), 'C', ''],
  ['tokens of ada', subjects.token(RUN, 'e1', 'ada'), 'CA', 'SV'],
  ['tokens of ben', subjects.token(RUN, 'e1', 'ben'), 'C', 'SV'],
  [
    'tokens of ben that ada hears',
    subjects.heardToken(RUN, 'ada', { episode: 'e1', agent: 'ben' }),
    'C',
    'A',
  ],
  [
    'tokens of ada that ben hears',
    subjects.heardToken(RUN, 'ben', { episode: 'e1', agent: 'ada' }),
    'CA',
    '',
  ],
  ['utterances of ada', subjects.utterance(RUN, { episode: 'e1', turn: 0, agent: 'ada' }), 'CA', 'S'],
  ['utterances of ben', subjects.utterance(RUN, { episode: 'e1', turn: 0, agent: 'ben' }), 'C', 'S'],
  [
    'alternatives of ada',
    subjects.alternative(RUN, { episode: 'e1', turn: 0, k: 1, agent: 'ada' }),
    'CA',
    '',
  ],
  ['alternatives of ben', `${EPISODE}.alternative.0.1.ben`, 'C', ''],
  ['events of an episode', subjects.episodeEvent(RUN, 'e1', 'episode-finished.e1'), 'C', 'S'],
  ['events', subjects.event(RUN, 'run-finished'), 'C', 'S'],
  ['everything of the run', subjects.everything(RUN), '', ''],
  ['everything', '>', '', ''],
  ['a new token for ada', subjects.renewToken(RUN, 'ada'), 'CA', 'C'],
  ['a new token for ben', subjects.renewToken(RUN, 'ben'), 'C', 'C'],
  ['invitations of ada', subjects.assign('ada'), 'C', 'A'],
  ['invitations of ben', subjects.assign('ben'), 'C', ''],
  ['memberships of ada', subjects.memberships('ada'), 'C', 'A'],
  ['memberships of ben', subjects.memberships('ben'), 'C', ''],
  ['the analyzer’s state', subjects.analyzerState('analyzer'), 'C', 'N'],
  ['making the stream', `$JS.API.STREAM.CREATE.${STREAM}`, 'C', ''],
  ['reading a stored message', `$JS.API.STREAM.MSG.GET.${STREAM}`, 'C', ''],
  ['emptying the stream', `$JS.API.STREAM.PURGE.${STREAM}`, '', ''],
  ['deleting the stream', `$JS.API.STREAM.DELETE.${STREAM}`, '', ''],
  ['making a consumer', `$JS.API.CONSUMER.DURABLE.CREATE.${STREAM}.mine`, 'C', ''],
  ['making a passing consumer', `$JS.API.CONSUMER.CREATE.${STREAM}`, 'C', ''],
  ['deleting the consumer of ada', `$JS.API.CONSUMER.DELETE.${STREAM}.spec-ada`, 'C', ''],
  ['the specs kept for ada', `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.spec-ada`, 'CA', ''],
  ['the specs kept for ben', `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.spec-ben`, 'C', ''],
  ['what ada hears', `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.hear-ada`, 'CA', ''],
  ['what ben hears', `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.hear-ben`, 'C', ''],
  ['acknowledging for ada', `$JS.ACK.${STREAM}.spec-ada.1.1.1.1.0`, 'A', ''],
  ['acknowledging for ben', `$JS.ACK.${STREAM}.spec-ben.1.1.1.1.0`, '', ''],
  ['the fleet', '$SRV.PING', 'CNS', 'CNA'],
  ['who is an agent', '$SRV.INFO.entrain-agent', 'CNS', 'A'],
  ['who is an analyzer', '$SRV.INFO.entrain-analyzer', 'CNS', 'N'],
  ['who is a coordinator', '$SRV.INFO.entrain-coordinator', 'CNS', 'C'],
  ['every service', '$SRV.>', '', ''],
  ['answers to the coordinator', '_INBOX_coordinator.x', '', 'C'],
  ['answers to ada', '_INBOX_agent-ada.x', '', 'A'],
  ['answers to ben', '_INBOX_agent-ben.x', '', ''],
  ['the specs of another run', subjects.spec(OTHER, 'e1', 'ada'), '', ''],
  ['tokens of another run', subjects.token(OTHER, 'e1', 'ada'), '', ''],
  ['utterances of another run', subjects.utterance(OTHER, { episode: 'e1', turn: 0, agent: 'ada' }), '', ''],
  ['events of another run', subjects.event(OTHER, 'run-finished'), '', ''],
  ['a token for another run', subjects.renewToken(OTHER, 'ada'), '', ''],
  ['everything of another run', subjects.everything(OTHER), '', ''],
  ['making the stream of another run', `$JS.API.STREAM.CREATE.${OTHER_STREAM}`, '', ''],
  ['what another run’s stream is', `$JS.API.STREAM.INFO.${OTHER_STREAM}`, '', ''],
  ['reading another run’s stream', `$JS.API.STREAM.MSG.GET.${OTHER_STREAM}`, '', ''],
  ['reading it without its leader', `$JS.API.DIRECT.GET.${OTHER_STREAM}`, '', ''],
  ['emptying another run’s stream', `$JS.API.STREAM.PURGE.${OTHER_STREAM}`, '', ''],
  ['the consumers of another run', `$JS.API.CONSUMER.LIST.${OTHER_STREAM}`, '', ''],
  ['a consumer in another run', `$JS.API.CONSUMER.CREATE.${OTHER_STREAM}.spec-ada`, '', ''],
  ['a consumer named like the own run', `$JS.API.CONSUMER.DURABLE.CREATE.${OTHER_STREAM}.${STREAM}`, '', ''],
  ['ada’s specs of another run', `$JS.API.CONSUMER.MSG.NEXT.${OTHER_STREAM}.spec-ada`, '', ''],
  ['acknowledging in another run', `$JS.ACK.${OTHER_STREAM}.spec-ada.1.1.1.1.0`, '', ''],
  ['the server’s own account', '$SYS.ACCOUNT.x.CONNECT', '', ''],
];

let folder: string;
let nats: NatsFixture;
let analyzer: ChildProcess;
let base: string;
let privateKey: string;
const connections = new Map<Role, { connection: NatsConnection; refusals: number }>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-access-'));
  nats = await startNats([...ROLES, 'agent-ben']);
  for (const role of ROLES) {
    const known = { connection: (await nats.connect(role)).connection, refusals: 0 };
    connections.set(role, known);
    void (async () => {
      for await (const status of known.connection.status())
        if (status.type === Events.Error) known.refusals += 1;
    })();
  }
  const keys = await writeKeys(join(folder, 'keys'));
  privateKey = await readFile(keys.privateKey, 'utf8');
  await startAnalyzer(keys.publicKey);
}, 60_000);
afterAll(async () => {
  analyzer.kill('SIGKILL');
  await nats.close();
  await rm(folder, { recursive: true, force: true });
});

async function startAnalyzer(publicKey: string): Promise<void> {
  const argv = [
    'bin/entrain.js',
    'analyzer',
    '--no-nats',
    '--runs',
    join(folder, 'runs'),
    '--public-key',
    publicKey,
  ];
  analyzer = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  analyzer.stderr?.on('data', (part: Buffer) => (said += part.toString()));
  base = await until('the analyzer', () => /"url":"(http:[^"]+)"/.exec(said)?.[1]);
}

/** Letters of the roles that the server allows; a later answer of the server shows that it had no objection. */
async function allowed(act: (connection: NatsConnection) => unknown): Promise<string> {
  let letters = '';
  for (const role of ROLES) {
    const known = connections.get(role)!;
    const before = known.refusals;
    act(known.connection);
    await known.connection.flush();
    await known.connection.flush();
    if (known.refusals === before) letters += LETTERS[role];
  }
  return letters;
}

const ignore = { callback: () => undefined };

describe('NATS permissions', () => {
  it.each(NATS_TABLE)('%s', async (_, subject, ...[publish, subscribe]) => {
    if (!subject.endsWith('>'))
      expect(await allowed((c) => c.publish(subject, '{}')), 'publish').toBe(publish);
    expect(await allowed((c) => c.subscribe(subject, ignore)), 'subscribe').toBe(subscribe);
  });

  it.each([
    ['nobody', {}],
    ['a user without a password', { user: 'coordinator' }],
    ['a user with another’s password', { user: 'coordinator', pass: 'agent-ada-secret' }],
    ['a user that is not known', { user: 'mallory', pass: 'coordinator-secret' }],
    ['a token in place of a user', { token: 'coordinator-secret' }],
  ])('do not let in %s', async (_, credentials) => {
    const attempt = connect({ servers: nats.url, reconnect: false, ...credentials });
    await expect(attempt).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
  });
});

const claims = (changes: Partial<TokenClaims> = {}): TokenClaims => ({
  run: RUN,
  agent: 'ada',
  stream: 'ada',
  mode: 'write',
  expiresAtMs: Date.now() + 600_000,
  ...changes,
});
const minted = (changes?: Partial<TokenClaims>): string => mintToken(privateKey, claims(changes));
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
/** The signature of one token under the claims of another. */
function swapped(): string {
  const [[body], [, signature]] = [minted({ stream: 'ben' }).split('.'), minted().split('.')];
  return `${body}.${signature}`;
}

/** Upgrade with these headers: status of a refusal, close code after it, or that the stream is open. */
const TOKEN_TABLE: [kind: string, headers: () => Record<string, string>, outcome: number | 'welcome'][] = [
  ['its own', () => bearer(minted()), 'welcome'],
  ['none', () => ({}), 401],
  ['an empty one', () => bearer(''), 401],
  ['another scheme', () => ({ authorization: `Basic ${minted()}` }), 401],
  ['an expired one', () => bearer(minted({ expiresAtMs: Date.now() - 1 })), 401],
  ['one without an end', () => bearer(minted({ expiresAtMs: Number.NaN })), 401],
  ['one of another run', () => bearer(minted({ run: 'r2' })), 4003],
  ['one of another agent', () => bearer(minted({ agent: 'ben', stream: 'ben' })), 4003],
  ['one of another stream', () => bearer(minted({ stream: 'ada-2' })), 4003],
  ['one that may only read', () => bearer(minted({ mode: 'read' })), 403],
  ['one of a mode that is not known', () => bearer(minted({ mode: 'admin' as 'read' })), 401],
  ['one with a name that is none', () => bearer(minted({ stream: '../ada' })), 401],
  ['one that a stranger signed', () => bearer(mintToken(createKeys().privateKeyPem, claims())), 401],
  ['one with the signature of another', () => bearer(swapped()), 401],
  ['one without its signature', () => bearer(minted().split('.')[0] ?? ''), 401],
  ['one with an empty signature', () => bearer(`${encoded(claims())}.`), 401],
  ['one of the algorithm "none"', () => bearer(`${encoded({ alg: 'none' })}.${encoded(claims())}.`), 401],
  ['a truncated one', () => bearer(minted().slice(0, -4)), 401],
  ['one with more behind it', () => bearer(`${minted()}.x`), 401],
  ['one that is too long', () => bearer('a'.repeat(4096)), 401],
];

describe('the activation stream', () => {
  it.each(TOKEN_TABLE)('answers %s', async (_, headers, outcome) => {
    expect(await greet('/stream', headers())).toBe(outcome);
  });

  it('takes no token from the URL', async () => {
    expect(await greet(`/stream?token=${minted()}&authorization=Bearer%20${minted()}`, {})).toBe(401);
  });
});

function greet(path: string, headers: Record<string, string>): Promise<number | string> {
  const socket = new WebSocket(`${base.replace('http', 'ws')}${path}`, { headers });
  const hello: StreamMessage = {
    type: 'hello',
    version: [2, 0],
    run: RUN,
    stream: 'ada',
    epoch: 1,
    firstSeq: 0,
    lastSeq: -1,
  };
  return new Promise((resolve) => {
    socket.on('open', () => socket.send(encodeMessage(hello)));
    socket.on('message', (data) => {
      const { type } = decodeMessage(data as Buffer);
      if (type === 'welcome') socket.close();
      if (type === 'welcome') resolve(type);
    });
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('close', resolve).on('error', () => undefined);
  });
}

/**
 * Other HTTP paths of the analyzer: all who reach it may read, nobody may change, and a token gives no more rights.
 */
const HTTP_TABLE: [method: string, path: string, status: number][] = [
  ['GET', '/', 404],
  ['GET', '/healthz', 200],
  ['GET', '/readyz', 200],
  ['GET', '/metrics', 200],
  ['GET', '/api/state?run=r2', 404],
  ['GET', '/api/scores?run=../r1', 404],
  ['POST', '/metrics', 405],
  ['PUT', '/api/state', 405],
  ['DELETE', '/', 405],
  ['OPTIONS', '/api/scores', 405],
  ['GET', '/stream', 404],
  ['GET', '/streams/ada', 404],
  ['GET', '/../keys/stream-private.pem', 404],
  ['GET', '/..%2fkeys%2fstream-private.pem', 404],
  ['GET', '/__proto__', 404],
];

describe('HTTP of the analyzer', () => {
  it.each(HTTP_TABLE)('%s %s', async (method, path, status) => {
    for (const headers of [{}, bearer(minted()), bearer(minted({ mode: 'read' })), bearer('x.y')])
      expect(await ask(method, path, headers)).toBe(status);
  });
});

/** Not by `fetch`, which would normalise the path. */
function ask(method: string, path: string, headers: Record<string, string>): Promise<number> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, method, path, headers }, (answer) =>
      resolve(answer.resume().statusCode ?? 0),
    );
    asked.on('error', reject).end();
  });
}
