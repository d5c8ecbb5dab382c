/**
 * Two runs at once on one nats-server: an agent of one can neither read nor change anything of the other, neither its
 * stream nor its consumers nor its talk, until the server is told to let it in.
 */
import type { JetStreamManager, NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { names, subjects } from '../../src/protocol/subjects.ts';
import { API_OF_PROGRAMS } from '../../src/transport/nats/permissions.ts';
import { createConsumer, createRunStream, publishOnce } from '../../src/transport/nats/streams.ts';
import { startNats, type FixtureUser, type NatsFixture } from '../fixtures/programs/nats-fixture.ts';

const OWN = 'a';
const OTHER = 'b';
const STREAM = names.stream(OTHER);
const SECRET = subjects.spec(OTHER, 'e1', 'cy');
const usersWith = (adasRuns: string[]): FixtureUser[] => [
  { name: 'coordinator', runs: [OWN, OTHER] },
  { name: 'agent-ada', runs: adasRuns },
  { name: 'agent-cy', runs: [OTHER] },
];

let nats: NatsFixture;
let coordinator: NatsConnection;
let ada: NatsConnection;
beforeAll(async () => {
  nats = await startNats(usersWith([OWN]));
  coordinator = (await nats.connect('coordinator')).connection;
  ada = (await nats.connect('agent-ada')).connection;
  for (const run of [OWN, OTHER]) {
    const stream = names.stream(run);
    await createRunStream(coordinator, { name: stream, subjects: subjects.stored(run) });
    // The same names exist in the other run, so a refusal is the server's decision and not a missing object.
    for (const agent of ['ada', 'cy']) {
      const name = names.specConsumer(agent);
      await createConsumer(coordinator, { stream, name, filter: subjects.specsOf(run, agent) });
    }
  }
  await publishOnce(coordinator, { subject: SECRET, body: { secret: 'of cy' } });
});
afterAll(() => nats.close());

/** The JetStream API without its opening request, which an agent may not send either. */
async function managerOf(connection: NatsConnection): Promise<JetStreamManager> {
  return connection.jetstreamManager({ checkAPI: false });
}
const next =
  (stream: string, consumer: string, api = API_OF_PROGRAMS) =>
  (c: NatsConnection) =>
    c.request(`${api}.CONSUMER.MSG.NEXT.${stream}.${consumer}`, '{"batch":1,"no_wait":true}', {
      timeout: 2000,
    });

const ATTEMPTS: [what: string, act: (c: NatsConnection) => Promise<unknown>][] = [
  ['read a stored message', async (c) => (await managerOf(c)).streams.getMessage(STREAM, { seq: 1 })],
  ['read the last of a subject', async (c) => c.request(`$JS.API.DIRECT.GET.${STREAM}.${SECRET}`, '')],
  ['look at the stream', async (c) => (await managerOf(c)).streams.info(STREAM)],
  ['list the streams', async (c) => (await managerOf(c)).streams.list().next()],
  ['delete a message', async (c) => (await managerOf(c)).streams.deleteMessage(STREAM, 1)],
  ['empty the stream', async (c) => (await managerOf(c)).streams.purge(STREAM)],
  ['delete the stream', async (c) => (await managerOf(c)).streams.delete(STREAM)],
  [
    'make a stream over the other run’s subjects',
    (c) => createRunStream(c, { name: 'mine', subjects: [subjects.events(OTHER)] }),
  ],
  [
    'make a consumer of its own',
    (c) => createConsumer(c, { stream: STREAM, name: 'mine', filter: subjects.everything(OTHER) }),
  ],
  [
    'make the consumer anew with a wider filter',
    (c) => createConsumer(c, { stream: STREAM, name: 'spec-ada', filter: subjects.everything(OTHER) }),
  ],
  ['look at a consumer', async (c) => (await managerOf(c)).consumers.info(STREAM, 'spec-cy')],
  ['list the consumers', async (c) => (await managerOf(c)).consumers.list(STREAM).next()],
  ['delete a consumer', async (c) => (await managerOf(c)).consumers.delete(STREAM, 'spec-cy')],
  ['take from the consumer of another', next(STREAM, 'spec-cy')],
  ['take from a consumer that bears its name', next(STREAM, 'spec-ada')],
  ['take from it by the usual name of the API', next(STREAM, 'spec-ada', '$JS.API')],
  [
    'say a turn',
    // Not by publishOnce, which would wait until it is let in.
    (c) => c.jetstream().publish(subjects.utterance(OTHER, { episode: 'e1', turn: 0, agent: 'ada' }), '{}'),
  ],
  ['ask for a token of the other run', (c) => c.request(subjects.renewToken(OTHER, 'ada'), '')],
];

describe('an agent of one run', () => {
  it.each(ATTEMPTS)('cannot %s of another run', async (_, act) => {
    const told = await act(ada).catch((error: unknown) => error);
    expect(['PERMISSIONS_VIOLATION', 'RUN_FORBIDDEN']).toContain((told as { code?: string }).code);
  });

  it('receives nothing of another run', async () => {
    const refusal = (subject: string): Promise<unknown> =>
      new Promise((resolve) => ada.subscribe(subject, { callback: (fault) => resolve(fault) }));
    for (const subject of [...subjects.stored(OTHER), subjects.tokens(OTHER), subjects.everything(OTHER)])
      expect(await refusal(subject), subject).toMatchObject({ code: 'PERMISSIONS_VIOLATION' });
  });

  it('has changed nothing there', async () => {
    const manager = await coordinator.jetstreamManager();
    const { state } = await manager.streams.info(STREAM);
    expect(state).toMatchObject({ messages: 1, consumer_count: 2 });
    expect((await manager.streams.getMessage(STREAM, { seq: 1 })).subject).toBe(SECRET);
  });

  it('can do everything it must in its own run', async () => {
    const turn = {
      subject: subjects.utterance(OWN, { episode: 'e1', turn: 0, agent: 'ada' }),
      body: { text: 'x' },
    };
    expect(await publishOnce(ada, turn)).toBe(true);
    await expect(next(names.stream(OWN), 'spec-ada')(ada)).resolves.toBeDefined();
  });

  it('can be let into another run without connecting again', async () => {
    await nats.reload(usersWith([OWN, OTHER]));
    const say = () =>
      publishOnce(ada, {
        subject: subjects.utterance(OTHER, { episode: 'e1', turn: 0, agent: 'ada' }),
        body: { text: 'x' },
      });
    await expect.poll(() => say().catch(() => undefined), { timeout: 20_000 }).toBe(true);
    await expect(next(STREAM, 'spec-cy')(ada)).rejects.toMatchObject({ code: 'PERMISSIONS_VIOLATION' });
  });
});
