/** Which finished runs a real nats-server is made to forget, and which stay. */
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ANY_RUN } from '../../../../src/transport/nats/permissions.ts';
import { openRunStream } from '../../../../src/coordinator/invite.ts';
import { removeOldStreams, streamUntilMs } from '../../../../src/coordinator/resident/old-streams.ts';
import { openServiceRows, type ServiceRows } from '../../../../src/coordinator/resident/service-rows.ts';
import { systemClock, type Clock } from '../../../../src/process/clock.ts';
import { studySchema } from '../../../../src/protocol/study.ts';
import { readRows } from '../../../../src/transport/nats/buckets.ts';
import { names } from '../../../../src/protocol/subjects.ts';
import type { NatsLink } from '../../../../src/transport/nats/connection.ts';
import { startNats, type NatsFixture } from '../../../fixtures/programs/nats-fixture.ts';

const log = pino({ level: 'silent' });
const by = { role: 'operator', name: 'o' } as const;
const people = [{}, {}];
const study = studySchema.parse({
  name: 's',
  pairs: [['a', 'b']],
  scenarios: [{ id: 'x', text: '', people }],
});
const lease = {
  number: 1,
  isHeld: () => true,
  throwIfAborted: () => undefined,
  lost: new Promise<void>(() => undefined),
  giveUp: () => undefined,
  release: () => Promise.resolve(),
};

let nats: NatsFixture;
let link: NatsLink;
let rows: ServiceRows;
beforeEach(async () => {
  nats = await startNats(['coordinator'], { runs: [ANY_RUN] });
  link = await nats.connect('coordinator');
  rows = await openServiceRows(link, lease, log);
});
afterEach(() => nats.close());

async function addRun(run: string, outcome?: { state: 'finished' | 'failed'; atMs: number }): Promise<void> {
  await openRunStream(link, run);
  await rows.writeRun(run, 'submission', { run, study, by, priority: 0, atMs: 0 });
  if (outcome) await rows.writeRun(run, 'outcome', { ...outcome, finished: 1, all: 1 });
}

const at = (nowMs: number): Clock => ({ ...systemClock, nowMs: () => nowMs });
async function streams(): Promise<string[]> {
  const manager = await link.connection.jetstreamManager();
  const kept = await Promise.all(
    ['old', 'new', 'failed', 'open'].map((run) =>
      manager.streams.info(`entrain-${run}`).then(
        () => [run],
        () => [],
      ),
    ),
  );
  return kept.flat();
}

it('forgets runs that finished long ago, once, and no others', async () => {
  await addRun('old', { state: 'finished', atMs: 100 });
  await addRun('new', { state: 'finished', atMs: 900 });
  await addRun('failed', { state: 'failed', atMs: 100 });
  await addRun('open');
  const remove = (nowMs: number, keepMs: number) =>
    removeOldStreams({ link, rows, keepMs, clock: at(nowMs), log });
  expect(await remove(599, 500)).toEqual([]);
  expect(await remove(1000, Infinity)).toEqual([]);
  expect(await streams()).toEqual(['old', 'new', 'failed', 'open']);
  expect(await remove(600, 500)).toEqual(['old']);
  expect(await streams()).toEqual(['new', 'failed', 'open']);
  expect(await remove(600, 500)).toEqual([]);
  const known = [...rows.runs].map(([run, of]) => [run, streamUntilMs(of, 500)]);
  expect(Object.fromEntries(known)).toEqual({ new: 1400, failed: undefined, open: undefined });
});

it('leaves nothing of a forgotten run in the bucket, and goes on writing there', async () => {
  await addRun('old', { state: 'finished', atMs: 100 });
  await addRun('older', { state: 'failed', atMs: 100 });
  await removeOldStreams({ link, rows, keepMs: 500, clock: at(600), log });
  await addRun('next');
  const again = await openServiceRows(link, lease, log);
  expect([...again.runs.keys()]).toEqual(['older', 'next']);
  const { all } = await readRows(link, names.rowsBucket);
  expect(all.map(({ key }) => key).filter((key) => key.startsWith('run.old.'))).toEqual([]);
});

it('keeps the rows of a run until every analyzer that had a part of it knows that it is over', async () => {
  await addRun('old', { state: 'finished', atMs: 100 });
  const place = { analyzer: 'two', streamUrl: 'ws://x', before: ['one'] };
  await rows.writeRun('old', 'recorder', { ...place, told: [] });
  const sweep = () => removeOldStreams({ link, rows, keepMs: 500, clock: at(600), log });
  expect(await sweep()).toEqual(['old']);
  expect([...rows.runs.keys()]).toEqual(['old']);
  await rows.writeRun('old', 'recorder', { ...place, told: ['one'] });
  await sweep();
  expect([...rows.runs.keys()]).toEqual([]);
});
