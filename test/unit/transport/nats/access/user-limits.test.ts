/** What the server lets an agent with a token take, by a real nats-server. */
import { pino } from 'pino';
import { Events, type NatsConnection } from 'nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectNats } from '../../../../../src/transport/nats/connection.ts';
import { startJoinedNats, type JoinedNats } from '../../../../fixtures/programs/joined-nats.ts';

const log = pino({ level: 'silent' });
let nats: JoinedNats;
beforeAll(async () => {
  nats = await startJoinedNats();
});
afterAll(() => nats.close());

const connectAs = async (user: string): Promise<NatsConnection> =>
  (await connectNats({ ...(await nats.options(user)), name: user, log })).connection;

it('is a message of at most 256 KiB, and for other programs what the server takes of all', async () => {
  const [ben, coordinator] = [await connectAs('agent-ben'), await connectAs('coordinator')];
  // The server says what it holds this user to.
  await ben.flush();
  expect([ben.info?.max_payload, coordinator.info?.max_payload]).toEqual([256 * 1024, 2 ** 20]);
  await Promise.all([ben.close(), coordinator.close()]);
});

it('is at most 1,024 subscriptions at a time', async () => {
  const ben = await connectAs('agent-ben');
  for (let n = 0; n < 1000; n += 1) ben.subscribe(`_INBOX_agent-ben.many.${n}`);
  await ben.flush();
  expect(ben.isClosed()).toBe(false);
  const refused = new Promise<unknown>((resolve) => {
    void (async () => {
      for await (const { type, data } of ben.status()) if (type === Events.Error) resolve(data);
    })();
  });
  for (let n = 0; n < 100; n += 1) ben.subscribe(`_INBOX_agent-ben.more.${n}`);
  await ben.flush().catch(() => undefined);
  expect(await refused).toBe('NATS_PROTOCOL_ERR');
  await ben.close();
});
