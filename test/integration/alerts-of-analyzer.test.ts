/**
 * Alerts of deploy/alerts.yml that come of one analyzer alone, by real faults, in a time that the test drives: its
 * worker threads stand still or fail, its disk is filled, its memory is small, and frames come that it must warn of.
 */
import { once } from 'node:events';
import { type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inContainer, startContained } from '../fixtures/network/contained-program.ts';
import { runsSealed } from '../fixtures/network/sealed-network.ts';
import { plantedBranchFrames } from '../fixtures/planted/planted-branch-frames.ts';
import { plantedEpisodes, type PlantedFrame } from '../fixtures/planted/planted-frames.ts';
import { AS_SMALL_AS_SCORES_GO } from '../fixtures/planted/planted-run.ts';
import { PROGRAM } from '../fixtures/programs/analyzer-process.ts';
import { until } from '../fixtures/programs/demo.ts';
import { freePort } from '../fixtures/programs/free-port.ts';
import {
  createScriptedPrometheus,
  type ScriptedPrometheus,
} from '../fixtures/programs/scripted-prometheus.ts';
import { keys, RUN, startAgent, type TestAgent } from '../fixtures/stream/stream-fixture.ts';

const DISK_BYTES = 64 * 2 ** 20;
const AMPLE_BYTES = 8 * 2 ** 30;
const FAULTS = pathToFileURL(resolve('test/fixtures/programs/faulty-scoring.mjs')).href;

let folder: string;
let port: number;
let analyzer: ChildProcess;
let prometheus: ScriptedPrometheus;
const agents: TestAgent[] = [];
/** Per role, turn frames that have not been sent yet: more than scores need. */
let turns: [PlantedFrame[], PlantedFrame[]];

const disk = (): string => join(folder, 'runs');

describe.skipIf(!runsSealed())('alerts of an analyzer, by real faults in a time that the test drives', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'entrain-alerts-of-'));
    await mkdir(disk());
    await writeFile(join(folder, 'public.pem'), keys.publicKeyPem);
    port = await freePort();
    start(AMPLE_BYTES);
    const target = { targets: [`127.0.0.1:${port}`] as [string], labels: { program: 'analyzer' } };
    const discover = () => Promise.resolve([target]);
    prometheus = createScriptedPrometheus({ folder, discover, isFrozen: () => false });
    await until('the analyzer', async () => (await value('up')) === 1 || undefined, 120_000);
    for (const stream of ['ada', 'ben']) {
      const place = { url: `ws://127.0.0.1:${port}/stream`, folder: join(folder, `spool-${stream}`) };
      agents.push(await startAgent({ ...place, stream, greetingMs: 60_000 }));
    }
    const episodes = plantedEpisodes({ ...AS_SMALL_AS_SCORES_GO, run: RUN, episodesPerScenario: 12 });
    turns = [0, 1].map((role) => episodes.flatMap(({ streams }) => streams[role as 0 | 1])) as typeof turns;
  }, 240_000);

  afterAll(async () => {
    for (const agent of agents) await agent.close();
    await stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('are silent while it scores what comes', async () => {
    await say(300);
    await until(
      'a score',
      async () => (await value('entrain_synchrony_updated_timestamp_seconds')) ?? undefined,
    );
    for (let minute = 0; minute < 8; minute += 1) {
      await say(4);
      await prometheus.pass(1, { entrain_synchrony_updated_timestamp_seconds: 2 });
    }
    await prometheus.expectSilence(0);
  }, 240_000);

  it('fire when its worker threads stand still', async () => {
    await writeFile(join(folder, 'hang'), '');
    for (let minute = 0; minute < 8; minute += 1) {
      await say(4);
      await prometheus.pass(1);
    }
    await prometheus.untilFired('EntrainScoreLag');
    await rm(join(folder, 'hang'));
    await say(4);
    await prometheus.untilSilent({});
  }, 300_000);

  it('fire when a score fails by a fault of the program', async () => {
    await writeFile(join(folder, 'throw'), '');
    await say(4);
    await until('a fault', async () => ((await value('entrain_score_faults_total')) ?? 0) > 0 || undefined);
    await prometheus.untilFired('EntrainScoreFaults');
    await rm(join(folder, 'throw'));
    await prometheus.pass(12);
    await prometheus.untilSilent({});
  }, 300_000);

  it('fire when its disk is full', async () => {
    const ballast = inContainer(analyzer, join(disk(), 'ballast'));
    const { bavail, bsize } = await statfs(inContainer(analyzer, disk()));
    await writeFile(ballast, Buffer.alloc(bavail * bsize - DISK_BYTES / 40));
    await prometheus.untilFired('EntrainDiskFull');
    await rm(ballast);
    await prometheus.untilSilent({});
  }, 300_000);

  it('fire when an agent is moved where nobody hears anybody', async () => {
    const world = { seed: 6, scenarios: 6, episodes: 2, turns: 2, alternatives: 4, dims: 16, layers: 2 };
    const quiet = plantedBranchFrames({ ...world, run: RUN, condition: 'monologue', kind: 'unheard' });
    await send(quiet);
    await until(
      'an influence',
      async () => (await value('entrain_synchrony_influence_ratio')) === 0 || undefined,
    );
    await prometheus.untilSilent({});
    await send(plantedBranchFrames({ ...world, run: RUN, condition: 'random', kind: 'moved' }));
    await prometheus.untilFired('EntrainUnmeantChannel');
  }, 300_000);

  it('fire when there are more series than /metrics may show', async () => {
    const world = { seed: 7, scenarios: 6, episodes: 2, turns: 2, alternatives: 2, dims: 2, layers: 250 };
    for (let dose = 1; dose < 10; dose += 1)
      await send(plantedBranchFrames({ ...world, run: RUN, condition: `dose:${dose}`, kind: 'unheard' }));
    await until(
      'too many',
      async () => ((await value('entrain_series_left_out')) ?? 0) > 0 || undefined,
      120_000,
    );
    await prometheus.untilFired('EntrainSeriesLeftOut');
  }, 300_000);

  it('fire when it takes most of the memory that it may have', async () => {
    await stop();
    // Less than the runtime takes by itself. What the program before held at its end says nothing of this one.
    start(64 * 2 ** 20);
    await prometheus.untilFired('EntrainMemory');
  }, 300_000);
});

function start(memoryBytes: number): void {
  const files = ['--runs', disk(), '--public-key', join(folder, 'public.pem')];
  const argv = [PROGRAM, 'analyzer', '--no-nats', '--port', String(port), '--step-measures', '', ...files];
  const container = { folder, disk: disk(), diskBytes: DISK_BYTES, memoryBytes };
  const faults = { ENTRAIN_FAULTS: folder, NODE_OPTIONS: `--import ${FAULTS}`, ENTRAIN_LOG: 'fatal' };
  analyzer = startContained(container, argv, faults);
}

async function stop(): Promise<void> {
  if (analyzer.exitCode !== null || analyzer.signalCode !== null) return;
  const ended = once(analyzer, 'exit');
  analyzer.kill('SIGKILL');
  await ended;
}

/** The largest value of the series of this name. */
async function value(name: string): Promise<number | undefined> {
  const found = (await prometheus.look()).filter(([series]) => series.startsWith(`${name}{`));
  return found.length === 0 ? undefined : Math.max(...found.map(([, figure]) => figure));
}

type Frames = Parameters<TestAgent['sender']['append']>[0][];

/** Sends the frames of each role, and waits until they are recorded. */
async function send(byRole: readonly Frames[]): Promise<void> {
  for (const [role, frames] of byRole.entries())
    for (const frame of frames) agents[role]?.sender.append(frame);
  for (const { sender } of agents) expect(await sender.drained(120_000)).toBe(true);
}

/** The next frames of the dialogue. */
const say = (count: number): Promise<void> => send(turns.map((frames) => frames.splice(0, count)));
