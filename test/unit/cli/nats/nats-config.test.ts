import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Events, type NatsConnection } from 'nats';
import { names, subjects } from '../../../../src/protocol/subjects.ts';
import { registerService, findServices, request } from '../../../../src/transport/nats/services.ts';
import {
  consume,
  createConsumer,
  createRunStream,
  publishOnce,
} from '../../../../src/transport/nats/streams.ts';
import { startNats, type NatsFixture } from '../../../fixtures/programs/nats-fixture.ts';

let nats: NatsFixture;
let coordinator: NatsConnection;
let ada: NatsConnection;
const run = 'r1';
const stream = names.stream(run);

beforeAll(async () => {
  nats = await startNats(['coordinator', 'analyzer', 'supervisor', 'agent-ada', 'agent-ben']);
  coordinator = (await nats.connect('coordinator')).connection;
  ada = (await nats.connect('agent-ada')).connection;
  await createRunStream(coordinator, { name: stream, subjects: subjects.stored(run) });
  for (const agent of ['ada', 'ben']) {
    await createConsumer(coordinator, {
      stream,
      name: names.specConsumer(agent),
      filter: subjects.specsOf(run, agent),
    });
    await createConsumer(coordinator, {
      stream,
      name: names.talkConsumer(agent),
      filter: subjects.talk(run),
    });
  }
});
afterAll(() => nats.close());

/**
 * Settles when the server has refused something on this connection, or has answered a later ping without
 * refusing.
 */
async function refused(connection: NatsConnection, act: () => unknown): Promise<boolean> {
  let hit = false;
  const watch = (async () => {
    for await (const status of connection.status()) if (status.type === Events.Error) hit = true;
  })();
  void watch;
  act();
  await connection.flush();
  await connection.flush();
  return hit;
}

async function take(connection: NatsConnection, consumer: string): Promise<string> {
  return new Promise((resolve, reject) => {
    consume(connection, {
      stream,
      consumer,
      take: (message) => {
        message.ack();
        resolve(message.text);
      },
    }).catch(reject);
  });
}

describe('the permissions of a private nats-server', () => {
  it('let an agent read its own specs and publish utterances', async () => {
    await publishOnce(coordinator, {
      subject: subjects.spec(run, 'e1', 'ada'),
      body: { for: 'ada' },
    });
    await expect(take(ada, names.specConsumer('ada'))).resolves.toContain('ada');
    await expect(
      publishOnce(ada, {
        subject: subjects.utterance(run, { episode: 'e1', turn: 0, agent: 'ada' }),
        body: {},
      }),
    ).resolves.toBe(true);
  });

  it('store a turn once, also after the duplicate window', async () => {
    const subject = subjects.utterance(run, { episode: 'e2', turn: 0, agent: 'ada' });
    expect(await publishOnce(ada, { subject, body: { text: 'first' } })).toBe(true);
    expect(await publishOnce(ada, { subject, body: { text: 'second' } })).toBe(false);
  });

  it.each([
    ['read the specs of another', (c: NatsConnection) => c.subscribe(subjects.spec(run, '*', 'ben'))],
    ['read all specs', (c: NatsConnection) => c.subscribe('entrain.v2.>')],
    ['read the inbox of another', (c: NatsConnection) => c.subscribe('_INBOX_coordinator.>')],
    ['take over the assignments of another', (c: NatsConnection) => c.subscribe(subjects.assign('ben'))],
    ['write an event', (c: NatsConnection) => c.publish(subjects.event(run, 'run-finished'), '{}')],
    ['write a spec', (c: NatsConnection) => c.publish(subjects.spec(run, 'e1', 'ada'), '{}')],
    [
      'speak as another',
      (c: NatsConnection) =>
        c.publish(subjects.utterance(run, { episode: 'e1', turn: 0, agent: 'ben' }), '{}'),
    ],
    [
      'publish an alternative as another',
      (c: NatsConnection) =>
        c.publish(subjects.alternative(run, { episode: 'e1', turn: 0, k: 1, agent: 'ben' }), '{}'),
    ],
    ['show tokens as another', (c: NatsConnection) => c.publish(subjects.token(run, 'e1', 'ben'), '{}')],
    [
      'show tokens to a listener as another',
      (c: NatsConnection) =>
        c.publish(subjects.heardToken(run, 'ada', { episode: 'e1', agent: 'ben' }), '{}'),
    ],
    [
      'read the tokens that another hears',
      (c: NatsConnection) => c.subscribe(subjects.heardTokens(run, 'ben')),
    ],
    ['read the tokens of everybody', (c: NatsConnection) => c.subscribe(subjects.tokens(run))],
    ['announce an analyzer', (c: NatsConnection) => c.subscribe('$SRV.INFO.entrain-analyzer')],
    ['announce an analyzer by its id', (c: NatsConnection) => c.subscribe('$SRV.INFO.entrain-analyzer.x')],
    ['announce a coordinator', (c: NatsConnection) => c.subscribe('$SRV.PING.entrain-coordinator')],
    ['announce every service', (c: NatsConnection) => c.subscribe('$SRV.>')],
    ['announce every name', (c: NatsConnection) => c.subscribe('$SRV.INFO.*')],
    ['renew the token of another', (c: NatsConnection) => c.publish(subjects.renewToken(run, 'ben'), '{}')],
    [
      'pull from the consumer of another',
      (c: NatsConnection) => c.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.spec-ben`, '1'),
    ],
    ['delete the stream', (c: NatsConnection) => c.publish(`$JS.API.STREAM.DELETE.${stream}`, '')],
  ])('do not let an agent %s', async (_, act) => {
    const { connection } = await nats.connect('agent-ada');
    expect(await refused(connection, () => act(connection))).toBe(true);
  });

  it('let an agent do everything that it must, without an error', async () => {
    const { connection } = await nats.connect('agent-ada');
    const act = (): void => {
      connection.subscribe(subjects.assign('ada'));
      connection.subscribe(subjects.heardTokens(run, 'ada'));
      connection.publish(subjects.token(run, 'e1', 'ada'), '{}');
      connection.publish(subjects.heardToken(run, 'ben', { episode: 'e1', agent: 'ada' }), '{}');
      connection.publish(subjects.renewToken(run, 'ada'), '{}');
    };
    expect(await refused(connection, act)).toBe(false);
  });

  it('refuse a wrong password in one sentence', async () => {
    const { connectNats } = await import('../../../../src/transport/nats/connection.ts');
    const { createLog } = await import('../../../../src/process/log.ts');
    const attempt = connectNats({
      url: nats.url,
      user: 'agent-ada',
      password: 'wrong',
      name: 'x',
      log: createLog('test'),
    });
    await expect(attempt).rejects.toMatchObject({ code: 'NATS_UNREACHABLE' });
  });

  it('let the coordinator find an agent and invite it, across their private inboxes', async () => {
    const inbox = '_INBOX_coordinator';
    const link = { connection: ada, inbox, up: () => true, close: async () => undefined };
    const service = await registerService(link, {
      name: 'entrain-agent',
      version: '0.0.1',
      description: 'x',
      metadata: { agent: 'ada' },
      endpoints: [{ name: 'assign', subject: subjects.assign('ada'), handle: (text) => `got ${text}` }],
    });
    const find = async () => {
      const found = await findServices({ ...link, connection: coordinator }, 'entrain-agent');
      return found.map(({ metadata }) => metadata['agent']);
    };
    await expect.poll(find, { timeout: 10_000 }).toEqual(['ada']);
    await expect(
      request(coordinator, subjects.assign('ada'), { body: { a: 1 }, timeoutMs: 2000 }),
    ).resolves.toBe('got {"a":1}');
    await service.stop();
  });
});
