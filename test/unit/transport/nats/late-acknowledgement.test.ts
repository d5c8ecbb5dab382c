/** A program that may answer acknowledges by that right, which ends with its link. */
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectNats, type NatsLink } from '../../../../src/transport/nats/connection.ts';
import { permissionsOf } from '../../../../src/transport/nats/permissions.ts';
import {
  consume,
  createConsumer,
  createRunStream,
  publishStored,
  type StoredMessage,
} from '../../../../src/transport/nats/streams.ts';
import { until } from '../../../fixtures/programs/demo.ts';
import { startNats, type NatsFixture } from '../../../fixtures/programs/nats-fixture.ts';

const stream = 'entrain-r1';
const subject = 'entrain.v2.r1.event';
const said: string[] = [];
let nats: NatsFixture;
let link: NatsLink;

beforeAll(async () => {
  nats = await startNats([{ name: 'coordinator', runs: ['*'] }]);
  const log = pino({}, { write: (line: string) => void said.push(line) });
  const [user, password] = ['coordinator', 'coordinator-secret'];
  link = await connectNats({ url: nats.url, user, password, name: user, log });
  await createRunStream(link.connection, { name: stream, subjects: [subject] });
});
afterAll(async () => {
  await link?.close();
  await nats?.close();
});

it.each(['coordinator', 'analyzer', 'analyzer-mia', 'agent-ada', 'supervisor', 'operator', 'submitter-eva'])(
  '%s does not have both, the right to answer and one to acknowledge',
  (user) => {
    const { answers, publish } = permissionsOf(user, ['r1']);
    expect(answers === true && publish.some((one) => one.startsWith('$JS.ACK'))).toBe(false);
  },
);

it('takes a message again whose acknowledgement the link did not survive, and tells nobody', async () => {
  const { connection } = link;
  await createConsumer(connection, { stream, name: 'mine', filter: subject, inOrder: true });
  const taken: StoredMessage[] = [];
  const reading = await consume(connection, { stream, consumer: 'mine', take: (one) => taken.push(one) });
  for (const body of ['first', 'second']) await publishStored(connection, { subject, body });
  await until('the first message', () => taken.length === 1, 10_000);
  await connection.reconnect();
  await until('the link', () => said.some((line) => line.includes('"status":"reconnect"')), 10_000);
  taken[0]?.ack();
  await until('it to come again', () => taken.length === 2, 20_000);
  taken[1]?.ack();
  await until('the second message', () => taken.length === 3, 10_000);
  taken[2]?.ack();
  await connection.flush();
  const manager = await connection.jetstreamManager();
  const left = await manager.consumers.info(stream, 'mine');
  await reading.stop();
  expect(taken.map(({ text }) => text)).toEqual(['"first"', '"first"', '"second"']);
  expect(left).toMatchObject({ num_ack_pending: 0, num_pending: 0 });
  expect(said.filter((line) => line.includes('"status":"error"'))).toEqual([]);
}, 60_000);
