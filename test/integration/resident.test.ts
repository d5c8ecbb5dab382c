/**
 * The resident coordinator with real programs: studies of two users wait for their agents, run, stop and go on; the
 * coordinator is killed in the middle; and each user may do what is its own and nothing else.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';
import { serviceUser, type ServiceUser } from '../fixtures/programs/service-user.ts';

const TURNS = 4;
/** Scenarios × conditions × turns of the small study. */
const SPOKEN = 1 * 2 * TURNS;
const LONG = { scenarios: 6, episodes: 1, maxTurns: 40, maxTokens: 6 };
const LONG_SPOKEN = 6 * 2 * 40;

let folder: string;
let study: string;
let fleet: Fleet;
let alice: ServiceUser;
let bob: ServiceUser;
let operator: ServiceUser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-resident-'));
  study = await writeSmallStudy(folder, { scenarios: 1, episodes: 1, maxTurns: TURNS, maxTokens: 6 });
  fleet = await createFleet({
    folder,
    study,
    run: '',
    agents: ['ada', 'ben'],
    resident: { users: ['submitter-alice', 'submitter-bob', 'operator'] },
  });
  [alice, bob, operator] = ['submitter-alice', 'submitter-bob', 'operator'].map((name) =>
    serviceUser(fleet.nats, name),
  ) as [ServiceUser, ServiceUser, ServiceUser];
  await fleet.start('analyzer');
  await fleet.start('coordinator');
});
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

/** A run is whole if all is said once and recorded. */
async function expectWhole(run: string, total = SPOKEN): Promise<void> {
  const { faults, lacking, utterances } = await verifyRun(join(fleet.runs, run));
  expect({ faults, lacking, utterances }, run).toEqual({
    faults: [],
    lacking: [],
    utterances: { total, incomplete: [] },
  });
  const turns = (await readTranscript(fleet.runs, run)).map(({ episode, turn }) => `${episode}/${turn}`);
  expect(new Set(turns).size).toBe(turns.length);
}

it('queues a study until its agents join, and goes on with it after a kill of the coordinator', async () => {
  const { status, out, err } = await alice.entrain('submit', study, '--name', 'first');
  expect({ status, err }).toMatchObject({ status: 0 });
  expect(out).toContain('first');
  await until(
    'the reason',
    async () => (await alice.runs()).get('first')?.reason?.includes('ada, ben') || undefined,
  );
  for (const agent of ['ada', 'ben'] as const) await fleet.start(`agent-${agent}`);
  await until(
    'two turns',
    async () => (await readTranscript(fleet.runs, 'first')).length >= 2 || undefined,
    120_000,
  );
  // The second user's run waits for the same agents.
  expect((await bob.entrain('submit', study, '--name', 'second')).status).toBe(0);
  await fleet.kill('coordinator');
  await fleet.start('coordinator');
  await alice.awaitState('first', 'finished');
  const { out: happened } = await alice.entrain('logs', 'first');
  expect(happened).toMatch(/^\d{4}-\S+Z {2}run-started +run=first/);
  expect(happened.trimEnd().split('\n').at(-1)).toMatch(
    / {2}run-finished +run=first {2}episodes=2 {2}turns=8$/,
  );
  for (const { text } of await readTranscript(fleet.runs, 'first'))
    if (text.length > 3) expect(happened).not.toContain(text);
  const second = await bob.awaitState('second', 'finished');
  expect(second.episodes).toEqual({ finished: 2, all: 2 });
  for (const run of ['first', 'second']) await expectWhole(run);
}, 300_000);

it('lets a submitter see, stop and fetch its own runs alone, and an operator all but what was said', async () => {
  expect([...(await alice.runs()).keys()]).toEqual(['first']);
  expect([...(await bob.runs()).keys()]).toEqual(['second']);
  expect([...(await operator.runs()).keys()].toSorted()).toEqual(['first', 'second']);
  const refused = await bob.entrain('stop', 'first');
  expect(refused.status).not.toBe(0);
  expect(refused.err).toContain('(RUN_UNKNOWN)');
  expect((await alice.entrain('remove', 'ada')).err).toContain('(NOT_ALLOWED)');
  const filesOf = async (user: ServiceUser, run: string): Promise<string[]> => {
    const out = await mkdtemp(join(folder, 'results-'));
    expect(await user.entrain('results', run, '--out', out)).toMatchObject({ status: 0 });
    return (await readdir(join(out, run))).toSorted();
  };
  const own = await filesOf(alice, 'first');
  expect(own).toEqual(expect.arrayContaining(['events.jsonl', 'run.json', 'transcript.jsonl']));
  expect(own.filter((name) => /secret|running/.test(name))).toEqual([]);
  expect(await filesOf(operator, 'first')).toEqual(own.filter((name) => name !== 'transcript.jsonl'));
  expect((await bob.entrain('results', 'first', '--out', folder)).err).toContain('(RUN_UNKNOWN)');
  const log = fleet.said('coordinator');
  expect(log).toMatch(/"by":"submitter bob","act":"stop","asked":"first","code":"RUN_UNKNOWN"/);
}, 120_000);

it('stops a run, gives its agents to the next, and goes on with it when asked', async () => {
  // Long enough to be stopped in the middle, however slow the commands are.
  const long = await writeSmallStudy(await mkdtemp(join(folder, 'long-')), LONG);
  await alice.entrain('submit', long, '--name', 'third');
  await until(
    'a turn',
    async () => (await readTranscript(fleet.runs, 'third')).length >= 1 || undefined,
    60_000,
  );
  await bob.entrain('submit', study, '--name', 'fourth');
  expect((await alice.entrain('stop', 'third')).status).toBe(0);
  await bob.awaitState('fourth', 'finished');
  expect((await alice.runs()).get('third')?.state).toBe('stopped');
  expect((await readTranscript(fleet.runs, 'third')).length).toBeLessThan(LONG_SPOKEN);
  expect((await alice.entrain('resume', 'third')).status).toBe(0);
  await alice.awaitState('third', 'finished');
  await expectWhole('third', LONG_SPOKEN);
  await expectWhole('fourth');
  expect(await readFile(join(fleet.runs, 'third', 'events.jsonl'), 'utf8')).toContain('run-finished');
}, 300_000);

it('gives a drained agent no further run until that is taken back', async () => {
  expect((await operator.entrain('drain', 'ben')).out).toContain('draining');
  await alice.entrain('submit', study, '--name', 'fifth');
  await until(
    'the reason',
    async () => (await alice.runs()).get('fifth')?.reason === 'waits for ben to join' || undefined,
  );
  expect((await operator.fleet()).find(({ name }) => name === 'ben')).toMatchObject({ state: 'draining' });
  expect((await operator.entrain('drain', 'ben', '--undo')).status).toBe(0);
  await alice.awaitState('fifth', 'finished');
  await expectWhole('fifth');
}, 200_000);
