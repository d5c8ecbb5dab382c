/** Questions about streams and rows while the NATS server answers nothing for longer than one of them may take. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startNats, type NatsFixture } from '../../../fixtures/programs/nats-fixture.ts';
import type { NatsLink } from '../../../../src/transport/nats/connection.ts';
import { readRows, removeRows, writeRow } from '../../../../src/transport/nats/buckets.ts';
import {
  createConsumer,
  createRunStream,
  dropConsumer,
  lastStored,
  listConsumers,
  publishStored,
  removeStream,
} from '../../../../src/transport/nats/streams.ts';

/** A question is given up after 5 s. */
const SILENT_MS = 6500;

const bucket = 'entrain-runs';
const stream = 'entrain-r1';
const subject = 'entrain.v2.r1.event';
let nats: NatsFixture;
let link: NatsLink;

beforeAll(async () => {
  nats = await startNats([{ name: 'coordinator', runs: ['*'] }]);
  link = await nats.connect('coordinator');
  await createRunStream(link.connection, { name: stream, subjects: [subject] });
  await publishStored(link.connection, { subject, body: 'said' });
  const signal = new AbortController().signal;
  await readRows(link, bucket);
  await writeRow(link.connection, { bucket, key: 'old.one', text: '1', after: 0 }, signal);
});
afterAll(() => nats?.close());

it('asks again what was not answered', async () => {
  const { connection } = link;
  for (const name of ['kept', 'dropped']) await createConsumer(connection, { stream, name, filter: subject });
  nats.hold(true);
  const asked = Promise.allSettled([
    createConsumer(connection, { stream, name: 'made', filter: subject }),
    lastStored(connection, { stream, subject }),
    dropConsumer(connection, { stream, name: 'dropped' }),
    readRows(link, bucket),
    removeRows(connection, { bucket, prefix: 'old' }),
    removeStream(connection, 'entrain-gone'),
    listConsumers(connection, stream),
  ]);
  await new Promise((done) => setTimeout(done, SILENT_MS));
  nats.hold(false);
  const found = await asked;
  expect(found.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))).toEqual([]);
  expect(found[1]).toMatchObject({ value: '"said"' });
  expect((await listConsumers(connection, stream)).toSorted()).toEqual(['kept', 'made']);
}, 60_000);
