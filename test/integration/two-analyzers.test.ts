/**
 * Two analyzers, each on a disk of its own: runs are spread over them, and a run whose analyzer is lost in the middle
 * goes on at the other one as a new part, with every turn recorded in one of the two. The lost one is told of the run's
 * end when it is back.
 */
import { access, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunEvent } from '../../src/protocol/nats-messages.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';
import { serviceUser, type ServiceUser } from '../fixtures/programs/service-user.ts';

const TURNS = 24;
const EPISODES = 3;
const SPOKEN = 2 * EPISODES * TURNS;
const AGENTS = ['ada', 'ben', 'cay', 'dan'] as const;

let folder: string;
let fleet: Fleet;
let operator: ServiceUser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-analyzers-'));
  const study = await writeSmallStudy(folder, {
    scenarios: 1,
    episodes: EPISODES,
    maxTurns: TURNS,
    maxTokens: 12,
  });
  fleet = await createFleet({
    folder,
    study,
    run: '',
    agents: [...AGENTS],
    resident: { users: ['operator'] },
    coordinatorFlags: ['--grace-seconds', '4'],
    agentFlags: ['--spool-mb', '1'],
  });
  operator = serviceUser(fleet.nats, 'operator');
  await writeFile(
    join(folder, 'others.json'),
    (await readFile(study, 'utf8')).replaceAll('ada', 'cay').replaceAll('ben', 'dan'),
  );
  await Promise.all(
    (['coordinator', 'analyzer-one', 'analyzer-two'] as const).map((one) => fleet.start(one)),
  );
});
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

type Recorded = Extract<RunEvent, { type: 'run-recorded' }>;

async function recorders(run: string): Promise<[number, string][]> {
  const text = await readFile(join(fleet.runs, run, 'events.jsonl'), 'utf8').catch(() => '');
  const events = text.split('\n').filter((line) => line.endsWith('}'));
  return events
    .map((line) => JSON.parse(line) as RunEvent)
    .filter((event): event is Recorded => event.type === 'run-recorded')
    .map(({ part, analyzer }) => [part, analyzer]);
}

/** The turns of which frames are missing in the recording that one analyzer has. */
async function incompleteAt(analyzer: string, run: string): Promise<Set<string>> {
  const whole = join(folder, `seen-by-${analyzer}`, run);
  await cp(join(fleet.runs, run), whole, { recursive: true });
  await cp(join(folder, `runs-${analyzer}`, run), whole, { recursive: true });
  const { utterances } = await verifyRun(whole);
  return new Set(utterances?.incomplete.map((one) => JSON.stringify(one)));
}

it('spreads two runs, and moves the one whose analyzer is lost to the other as a new part', async () => {
  await operator.entrain('submit', join(folder, 'study.json'), '--name', 'first');
  await operator.entrain('submit', join(folder, 'others.json'), '--name', 'second');
  // Both wait for their agents, so that neither is over before the other has begun.
  await Promise.all(AGENTS.map((agent) => fleet.start(`agent-${agent}`)));
  await until(
    'both runs are under way',
    async () =>
      ((await readTranscript(fleet.runs, 'first')).length >= 30 && (await recorders('second')).length > 0) ||
      undefined,
    120_000,
  );
  const [home] = await recorders('first');
  const [other] = await recorders('second');
  expect(new Set([home?.[1], other?.[1]])).toEqual(new Set(['one', 'two']));
  const lost = home?.[1] ?? '';
  const next = other?.[1] ?? '';

  await fleet.kill(`analyzer-${lost}`);
  const { analyzers } = await operator.awaitState('first', 'finished');
  expect(analyzers).toEqual([lost, next]);
  expect(await recorders('first')).toEqual([
    [1, lost],
    [2, next],
  ]);
  await operator.awaitState('second', 'finished');

  expect(await readTranscript(fleet.runs, 'first')).toHaveLength(SPOKEN);
  const [before, after] = [await incompleteAt(lost, 'first'), await incompleteAt(next, 'first')];
  expect([...before].filter((turn) => after.has(turn))).toEqual([]);

  // Until it is told that the run is over, retention leaves what it recorded alone.
  const sealed = join(folder, `runs-${lost}`, 'first', 'finished.json');
  await expect(access(sealed)).rejects.toThrow('ENOENT');
  await fleet.start(`analyzer-${lost}`);
  await until(
    'the lost analyzer knows of the end',
    () =>
      access(sealed).then(
        () => true,
        () => undefined,
      ),
    180_000,
  );
  await until('the coordinator says so', () =>
    fleet.said('coordinator').includes('the recording of an earlier part was found again'),
  );
}, 400_000);
