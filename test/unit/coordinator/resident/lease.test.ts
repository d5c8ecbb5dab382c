/** The lease and the rows that its holder writes, with a real nats-server. */
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ANY_RUN } from '../../../../src/transport/nats/permissions.ts';
import { awaitLease, LEASE_MS, type Lease } from '../../../../src/coordinator/resident/lease.ts';
import { openServiceRows } from '../../../../src/coordinator/resident/service-rows.ts';
import { systemClock, type Clock } from '../../../../src/process/clock.ts';
import type { NatsLink } from '../../../../src/transport/nats/connection.ts';
import { until } from '../../../fixtures/programs/demo.ts';
import { startNats, type NatsFixture } from '../../../fixtures/programs/nats-fixture.ts';

const log = pino({ level: 'silent' });
const never = new AbortController().signal;
const by = { role: 'operator', name: 'o' } as const;
const open = { is: 'open', by, atMs: 1 } as const;

let nats: NatsFixture;
let link: NatsLink;
const held: Lease[] = [];
beforeEach(async () => {
  nats = await startNats(['coordinator'], { runs: [ANY_RUN] });
  link = await nats.connect('coordinator');
});
afterEach(async () => {
  await Promise.all(held.splice(0).map((lease) => lease.release()));
  await nats.close();
});

async function take(clock: Clock = systemClock): Promise<Lease> {
  const lease = await awaitLease({ link, clock, log }, never);
  if (!lease) throw new Error('no lease');
  held.push(lease);
  return lease;
}

it('gives the lease to one at a time: to the next at once when it is released', async () => {
  const first = await take();
  let second: Lease | undefined;
  const waiting = take().then((lease) => (second = lease));
  await new Promise((done) => setTimeout(done, LEASE_MS + 1000));
  expect({ held: first.isHeld(), second }).toEqual({ held: true, second: undefined });
  await first.release();
  expect(first.isHeld()).toBe(false);
  expect((await waiting).number).toBeGreaterThan(first.number);
}, 30_000);

it('counts a lease as over by its own clock, before it has heard anything', async () => {
  let aheadMs = 0;
  const late: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
  const lease = await take(late);
  lease.throwIfAborted();
  aheadMs = LEASE_MS;
  expect(() => lease.throwIfAborted()).toThrow(/lead/);
  await until('the end is told', () => lease.lost.then(() => true));
});

it('refuses every row of an earlier leader once a later one has begun, though its lease seems to hold', async () => {
  const eternal = (number: number): Lease => ({
    number,
    isHeld: () => true,
    throwIfAborted: () => undefined,
    lost: new Promise(() => undefined),
    giveUp: () => undefined,
    release: () => Promise.resolve(),
  });
  const first = await openServiceRows(link, eternal(1), log);
  await first.writeAgent('ada', open);
  const second = await openServiceRows(link, eternal(2), log);
  expect(second.agents.get('ada')).toEqual(open);
  await expect(first.writeAgent('ben', open)).rejects.toMatchObject({ code: 'LEASE_LOST' });
  await second.writeAgent('ada', { ...open, is: 'removed' });
  const third = await openServiceRows(link, eternal(3), log);
  expect([...third.agents.keys()]).toEqual(['ada']);
  expect(third.agents.get('ada')?.is).toBe('removed');
});
