/**
 * Withdrawn and restored permissions, a full store, and JetStream switched off, each with a real nats-server.
 */
import { Events } from 'nats';
import { afterEach, describe, expect, it } from 'vitest';
import { names, subjects } from '../../../../src/protocol/subjects.ts';
import {
  consume,
  createConsumer,
  createRunStream,
  publishStored,
  type StoredMessage,
} from '../../../../src/transport/nats/streams.ts';
import { subscribe } from '../../../../src/transport/nats/subscription.ts';
import { startNats, type FixtureUser, type NatsFixture } from '../../../fixtures/programs/nats-fixture.ts';
import { silentLog } from '../../../fixtures/stream/stream-fixture.ts';

const RUN = 'r1';
const STREAM = names.stream(RUN);
const UP = ['coordinator', 'agent-ada', 'supervisor'];
/** Lets the user into another run only, so it lacks the permissions that are asked for here. */
const without = (user: string): FixtureUser[] =>
  UP.map((name) => (name === user ? { name: user, runs: ['other'] } : name));

const started: NatsFixture[] = [];
afterEach(async () => {
  for (const nats of started.splice(0)) await nats.close();
});

async function start(jetstream?: string): Promise<NatsFixture> {
  const nats = await startNats(UP, jetstream === undefined ? {} : { jetstream });
  started.push(nats);
  return nats;
}

const stream = { name: STREAM, subjects: subjects.stored(RUN) };
const event = (name: string) => ({ subject: subjects.event(RUN, name), id: name, body: { name } });

/** An agent that reads its specs from a run's stream, and a coordinator that can store some. */
async function startReader(nats: NatsFixture) {
  const coordinator = await nats.connect('coordinator');
  await createRunStream(coordinator.connection, stream);
  const consumer = names.specConsumer('ada');
  const filter = subjects.specsOf(RUN, 'ada');
  await createConsumer(coordinator.connection, { stream: STREAM, name: consumer, filter });
  const agent = await nats.connect('agent-ada');
  const read: StoredMessage[] = [];
  const take = (message: StoredMessage): void => {
    message.ack();
    read.push(message);
  };
  const reading = await consume(agent.connection, { stream: STREAM, consumer, take, log: silentLog });
  const say = (episode: string) => ({
    subject: subjects.spec(RUN, episode, 'ada'),
    id: episode,
    body: {},
  });
  return { coordinator, agent, read, say, reading };
}

describe('a withdrawn NATS permission', () => {
  it('ends no subscription: it goes on when the permission is back', async () => {
    const nats = await start();
    const [listener, speaker] = [await nats.connect('supervisor'), await nats.connect('coordinator')];
    const heard: string[] = [];
    const subject = subjects.events(RUN);
    const open = subscribe(listener, {
      subject,
      take: ({ text }) => heard.push(text),
      log: silentLog,
      againMs: 100,
    });
    const say = (text: string): void => speaker.connection.publish(subjects.event(RUN, 'e'), text);
    await expect.poll(() => (say('one'), heard.length)).toBeGreaterThan(0);
    await nats.reload(without('supervisor'));
    await expect
      .poll(
        async () => {
          const before = heard.length;
          say('unheard');
          await speaker.connection.flush();
          await new Promise((done) => setTimeout(done, 200));
          return heard.length === before;
        },
        { timeout: 20_000 },
      )
      .toBe(true);
    await nats.reload(UP);
    await expect.poll(() => (say('again'), heard.at(-1)), { timeout: 20_000 }).toBe('again');
    expect(listener.up()).toBe(true);
    open.unsubscribe();
  });

  it('makes a publisher and a reader of the stream wait until it is back', async () => {
    const nats = await start();
    const { coordinator, read, say, reading } = await startReader(nats);
    await publishStored(coordinator.connection, say('e1'));
    await expect.poll(() => read.length, { timeout: 20_000 }).toBe(1);

    await nats.reload(UP.map((name) => ({ name, runs: ['other'] })));
    await new Promise((done) => setTimeout(done, 1000));
    let stored = false;
    const publishing = publishStored(coordinator.connection, say('e2')).then(() => (stored = true));
    await new Promise((done) => setTimeout(done, 3000));
    expect(stored).toBe(false);
    await nats.reload(UP);
    await publishing;
    await expect.poll(() => read.length, { timeout: 30_000 }).toBe(2);
    await reading.stop();
  });

  it('ends no reader whose answers the server refused for a time', async () => {
    const nats = await start();
    const { coordinator, agent, read, say, reading } = await startReader(nats);
    await publishStored(coordinator.connection, say('e1'));
    await expect.poll(() => read.length, { timeout: 20_000 }).toBe(1);
    let refusals = 0;
    void (async () => {
      for await (const { type } of agent.connection.status()) refusals += Number(type === Events.Error);
    })();
    await nats.reload(UP, (config) => config.replaceAll('_INBOX_agent-ada', '_INBOX_nobody'));
    await expect.poll(() => refusals, { timeout: 20_000 }).toBeGreaterThan(0);
    await nats.reload(UP);
    await publishStored(coordinator.connection, say('e2'));
    await expect.poll(() => read.length, { timeout: 60_000 }).toBe(2);
    await reading.stop();
  }, 120_000);

  it('no longer delays a publisher that is told to stop', async () => {
    const nats = await start();
    const coordinator = await nats.connect('coordinator');
    await createRunStream(coordinator.connection, stream);
    await nats.reload(without('coordinator'));
    await new Promise((done) => setTimeout(done, 1000));
    const stopping = new AbortController();
    const publishing = publishStored(coordinator.connection, { ...event('late'), signal: stopping.signal });
    setTimeout(() => stopping.abort(), 500);
    await expect(publishing).rejects.toThrow('abort');
  });
});

describe('a full NATS store', () => {
  it('makes a publisher wait until there is space, and loses no message', async () => {
    const nats = await start('max_file_store: 65536');
    const { connection } = await nats.connect('coordinator');
    await createRunStream(connection, stream);
    const big = 'x'.repeat(20_000);
    let stored = 0;
    const all = (async () => {
      for (let count = 0; count < 6; count += 1) {
        await publishStored(connection, { ...event(`e${count}`), body: big, log: silentLog });
        stored += 1;
      }
    })();
    await expect.poll(() => stored, { timeout: 10_000 }).toBeGreaterThan(1);
    await new Promise((done) => setTimeout(done, 4000));
    expect(stored).toBeLessThan(6);
    await nats.restart('max_file_store: 10MB');
    await all;
    const manager = await connection.jetstreamManager();
    expect((await manager.streams.info(STREAM)).state.messages).toBe(6);
  });
});

describe('JetStream switched off', () => {
  it('is named in the log with advice, and a running program goes on when it is back', async () => {
    const off = await start('enabled: false');
    const { connection } = await off.connect('coordinator');
    await expect(createRunStream(connection, stream)).rejects.toMatchObject({
      code: 'NATS_NO_JETSTREAM',
      message: expect.stringContaining('start it with "jetstream"') as unknown,
    });
    await off.restart('');
    await expect.poll(() => createRunStream(connection, stream).catch(() => -1), { timeout: 20_000 }).toBe(0);
    await off.restart('enabled: false');
    let stored = false;
    const publishing = publishStored(connection, event('waits')).then(() => (stored = true));
    await new Promise((done) => setTimeout(done, 3000));
    expect(stored).toBe(false);
    await off.restart('');
    await publishing;
  });

  it('is asked again and again for messages by a reader, who goes on when it is back', async () => {
    const nats = await start();
    const { coordinator, agent, read, say, reading } = await startReader(nats);
    await nats.restart('enabled: false');
    const asked: string[] = [];
    const publish = agent.connection.publish.bind(agent.connection);
    agent.connection.publish = (...message) => {
      asked.push(message[0]);
      publish(...message);
    };
    const pulls = (): number => asked.filter((subject) => subject.includes('.CONSUMER.MSG.NEXT.')).length;
    await expect.poll(pulls, { timeout: 60_000 }).toBeGreaterThan(2);
    await nats.restart('');
    await publishStored(coordinator.connection, say('e1'));
    await expect.poll(() => read.length, { timeout: 60_000 }).toBe(1);
    await reading.stop();
  }, 200_000);

  it('is named in the error of a program that opens a stream', async () => {
    const off = await start('enabled: false');
    const { connection } = await off.connect('agent-ada');
    await expect(
      consume(connection, { stream: STREAM, consumer: names.specConsumer('ada'), take: () => undefined }),
    ).rejects.toMatchObject({
      code: 'NATS_NO_JETSTREAM',
    });
  });
});

describe('a server that does not answer for longer than a request waits', () => {
  it('is asked again, about streams as well as consumers', { timeout: 60_000 }, async () => {
    const nats = await start();
    const { connection } = await nats.connect('coordinator');
    const consumer = names.specConsumer('ada');
    const options = { stream: STREAM, name: consumer, filter: subjects.specsOf(RUN, 'ada') };
    const asks = [
      () => createRunStream(connection, stream),
      () => createConsumer(connection, options),
      async () => (await consume(connection, { ...options, consumer, take: () => undefined })).stop(),
    ];
    for (const ask of asks) {
      nats.hold(true);
      const asked = ask();
      await new Promise((done) => setTimeout(done, 6500));
      nats.hold(false);
      await asked;
    }
  });
});
