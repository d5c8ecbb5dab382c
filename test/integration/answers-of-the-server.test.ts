/**
 * nats-server itself answers acknowledgements, stored messages and questions about consumers, on any subject that the
 * request names and without asking whether its publisher may publish there. With ben's credentials a plain client names
 * the subjects by which streams, consumers and buckets are deleted and written, in everything that ben may publish.
 */
import { rm } from 'node:fs/promises';
import { pino } from 'pino';
import { headers, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { names, subjects } from '../../src/protocol/subjects.ts';
import { connectNats } from '../../src/transport/nats/connection.ts';
import { ANY_RUN, API_OF_PROGRAMS, permissionsOf } from '../../src/transport/nats/permissions.ts';
import { createConsumer, createRunStream, listConsumers } from '../../src/transport/nats/streams.ts';
import { startJoinedNats } from '../fixtures/programs/joined-nats.ts';
import { startNats } from '../fixtures/programs/nats-fixture.ts';

const [RUN, OTHER] = ['lab', 'other'];
const STREAM = names.stream(RUN);
const log = pino({ level: 'silent' });

interface World {
  connect(user: string): Promise<NatsConnection>;
  close(): Promise<void>;
}

/** The server of `entrain start` and of `deploy/`. */
async function byFile(): Promise<World> {
  const users = ['coordinator', 'analyzer', 'agent-ada', 'agent-ben'];
  const nats = await startNats(users, { runs: [ANY_RUN] });
  return {
    connect: async (user) => (await nats.connect(user)).connection,
    close: () => nats.close(),
  };
}

/** The server of `entrain serve`. */
async function byTokens(): Promise<World> {
  const nats = await startJoinedNats();
  const links: NatsConnection[] = [];
  return {
    connect: async (user) => {
      const { connection } = await connectNats({ ...(await nats.options(user)), name: user, log });
      links.push(connection);
      return connection;
    },
    close: async () => {
      await Promise.all(links.map((link) => link.close()));
      await nats.close();
      await rm(nats.folder, { recursive: true, force: true });
    },
  };
}

/** Where an answer would delete, write or mislead. */
const FORBIDDEN = [
  ...[names.stream(OTHER), STREAM, `KV_${names.rowsBucket}`].flatMap((stream) => [
    `$JS.API.STREAM.PURGE.${stream}`,
    `$JS.API.STREAM.MSG.DELETE.${stream}`,
    `$JS.API.STREAM.DELETE.${stream}`,
  ]),
  `$JS.API.CONSUMER.DELETE.${STREAM}.${names.talkConsumer('ada')}`,
  `$JS.API.CONSUMER.DELETE.${STREAM}.coordinator`,
  `$KV.${names.rowsBucket}.run.lab.wish`,
  `$KV.${names.leaseBucket}.coordinator`,
  '$SYS.REQ.CLAIMS.UPDATE',
  '$SYS.REQ.SERVER.PING',
  subjects.event(RUN, 'run-finished'),
  subjects.episodeEvent(RUN, 'e1', 'episode-finished.e1'),
  subjects.spec(RUN, 'e1', 'ada'),
  subjects.analyzerFinished('analyzer'),
  subjects.join('0123'),
  subjects.service({ role: 'operator', name: 'operator' }, 'remove'),
  '_INBOX_coordinator.mine',
];
/** Bodies that nats-server takes for an acknowledgement, a request, or nothing. */
const BODIES = [
  '+ACK',
  '',
  '{}',
  '-NAK',
  '+NXT {"batch":1}',
  '{"batch":1,"no_wait":true}',
  '{"batch":1,"expires":1000000}',
];

const STORED = subjects.utterance(RUN, { episode: 'e1', turn: 1, agent: 'ben' });

describe.each([
  ['a file', byFile],
  ['tokens', byTokens],
])('with users by %s, whoever has the credentials of an agent', { timeout: 120_000 }, (_, open) => {
  let world: World;
  let coordinator: NatsConnection;
  let ben: NatsConnection;
  /** What came to programs on subjects where ben may not publish. */
  const misled: string[] = [];

  beforeAll(async () => {
    world = await open();
    coordinator = await world.connect('coordinator');
    const analyzer = await world.connect('analyzer');
    ben = await world.connect('agent-ben');
    for (const run of [RUN, OTHER]) {
      const stream = names.stream(run);
      await createRunStream(coordinator, { name: stream, subjects: subjects.stored(run) });
      for (const name of [names.talkConsumer('ada'), names.talkConsumer('ben'), 'coordinator'])
        await createConsumer(coordinator, { stream, name, filter: subjects.talk(run) });
      await coordinator.jetstream().publish(subjects.event(run, 'run-started'), '{}');
    }
    for (const bucket of [names.rowsBucket, names.leaseBucket]) {
      const kv = await coordinator.jetstream().views.kv(bucket);
      for (const key of ['coordinator', 'run.lab.wish']) await kv.put(key, 'kept');
    }
    const take = {
      callback: (fault: unknown, { subject }: { subject: string }) => void (fault ?? misled.push(subject)),
    };
    for (const subject of [
      '_INBOX_coordinator.mine',
      subjects.join('*'),
      subjects.service({ role: '*', name: '*' }, '*'),
    ])
      coordinator.subscribe(subject, take);
    analyzer.subscribe(subjects.analyzerFinished('*'), take);
    await Promise.all([coordinator.flush(), analyzer.flush()]);
  }, 60_000);
  afterAll(() => world.close());

  /** All that must stay: streams, consumers, rows, and what is stored where ben may not publish. */
  async function kept(): Promise<unknown> {
    const manager = await coordinator.jetstreamManager();
    const runs = [RUN, OTHER].map(async (run) => {
      const stream = names.stream(run);
      const { state } = await manager.streams
        .info(stream, { subjects_filter: '>' })
        .catch(() => ({ state: undefined }));
      const foreign = Object.keys(state?.subjects ?? {}).filter((subject) => !subject.endsWith('.ben'));
      const whole = state && state.first_seq === 1 && state.messages === state.last_seq;
      return {
        run,
        foreign,
        whole,
        consumers: (await listConsumers(coordinator, stream).catch(() => [])).toSorted((a, b) =>
          a < b ? -1 : 1,
        ),
      };
    });
    const rows = [names.rowsBucket, names.leaseBucket].map(async (bucket) => {
      const { state } = await manager.streams
        .info(`KV_${bucket}`)
        .catch(() => ({ state: { last_seq: 'gone' } }));
      return { bucket, last: state.last_seq };
    });
    return { runs: await Promise.all(runs), rows: await Promise.all(rows) };
  }

  /** Publishes everything that ben may, with this subject for the answer. */
  async function askFor(reply: string): Promise<void> {
    const { publish } = permissionsOf('agent-ben', [RUN]);
    const all = headers();
    all.set('Nats-Request-Info', JSON.stringify({ acc: 'entrain', svc: 'entrain' }));
    for (const subject of publish) {
      const concrete = subject
        .replace('episode.*', 'episode.e1')
        .replaceAll('*', '1')
        .replace('>', '1.1.1.1.1');
      for (const body of BODIES) {
        ben.publish(concrete, body, { reply });
        ben.publish(concrete, body, { reply, headers: all });
      }
    }
    await ben.flush();
  }

  it('stores, reads and acknowledges what is its own', async () => {
    const client = ben.jetstream({ apiPrefix: API_OF_PROGRAMS });
    await client.publish(STORED, '{"text":"hello"}', { msgID: 'one', expect: { lastSubjectSequence: 0 } });
    await expect(client.publish(STORED, '{}', { expect: { lastSubjectSequence: 0 } })).rejects.toMatchObject({
      api_error: { err_code: 10071 },
    });
    const consumer = await client.consumers.get(STREAM, names.talkConsumer('ben'));
    const message = await consumer.next({ expires: 5000 });
    expect(message?.string()).toBe('{"text":"hello"}');
    message?.ack();
    await expect.poll(async () => (await consumer.info()).num_ack_pending, { timeout: 10_000 }).toBe(0);
  });

  it('cannot have the server delete or write anything by an answer', async () => {
    const before = await kept();
    for (const reply of FORBIDDEN) await askFor(reply);
    // Answers of one connection's requests come in order, so this one is the last.
    await ben.jetstream().publish(subjects.utterance(RUN, { episode: 'e1', turn: 999, agent: 'ben' }), '{}');
    await coordinator.flush();
    expect(await kept()).toEqual(before);
    expect(misled).toEqual([]);
  });

  it('cannot have the server publish anything in the name of another', async () => {
    const hers = [
      subjects.utterance(RUN, { episode: 'e1', turn: 2, agent: 'ada' }),
      subjects.alternative(RUN, { episode: 'e1', turn: 2, k: 1, agent: 'ada' }),
    ];
    const own = subjects.utterance(RUN, { episode: 'e1', turn: 3, agent: 'ben' });
    const client = ben.jetstream();
    for (const reply of hers) {
      await client.publish(own, 'FORGED');
      await askFor(reply);
    }
    await client.publish(own, 'FORGED');
    const manager = await coordinator.jetstreamManager();
    for (const subject of hers) {
      const found = manager.streams.getMessage(STREAM, { last_by_subj: subject });
      await expect(found).rejects.toMatchObject({ api_error: { code: 404 } });
    }
  });
});
