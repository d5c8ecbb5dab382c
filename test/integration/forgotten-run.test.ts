/** A finished run leaves the memory of the analyzer; an agent that comes back continues it as if it had stayed. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TEXT_FEATURE_DIMS } from '../../src/protocol/stream/frames.ts';
import type { ScoreReport } from '../../src/protocol/reports/score-report.ts';
import { subjects } from '../../src/protocol/subjects.ts';
import type { NatsLink } from '../../src/transport/nats/connection.ts';
import { request } from '../../src/transport/nats/services.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { plantedEpisodes } from '../fixtures/planted/planted-frames.ts';
import {
  startAnalyzerProcess,
  stopProcess,
  type AnalyzerProcess,
} from '../fixtures/programs/analyzer-process.ts';
import { startNats, type NatsFixture } from '../fixtures/programs/nats-fixture.ts';
import {
  keys,
  RUN,
  startAgent,
  stepsFrame,
  waitFor,
  type TestAgent,
} from '../fixtures/stream/stream-fixture.ts';

const WORLD = {
  run: RUN,
  scenarios: 6,
  episodesPerScenario: 4,
  turns: 12,
  layers: 2,
  dims: 6,
  textDims: TEXT_FEATURE_DIMS,
  conditions: ['live'],
  coupling: 0.9,
  seed: 5,
};
const EPISODES = plantedEpisodes(WORLD);
const HALF = EPISODES.length / 2;
/** About two seconds. */
const SOON = ['--forget-hours', '0.0005'];
const PATIENCE = { what: 'the analyzer', timeoutMs: 120_000 };

let folder: string;
let nats: NatsFixture;
let link: NatsLink;
let analyzer: AnalyzerProcess;
let agents: TestAgent[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-forgotten-'));
  nats = await startNats(['analyzer', 'coordinator']);
  link = await nats.connect('coordinator');
});
afterAll(async () => {
  await leave();
  if (analyzer?.child.exitCode === null) await stopProcess(analyzer, 'SIGKILL');
  await nats?.close();
  await rm(folder, { recursive: true, force: true });
});

async function begin(name: string, flags: string[]): Promise<void> {
  const place = join(folder, name);
  await mkdir(place);
  await writeFile(join(place, 'public.pem'), keys.publicKeyPem);
  analyzer = await startAnalyzerProcess({ folder: place, nats, link, flags });
}

async function connect(name: string): Promise<void> {
  const url = `${analyzer.url.replace('http', 'ws')}/stream`;
  for (const stream of ['ada', 'ben'])
    agents.push(await startAgent({ url, folder: join(folder, name, `spool-${stream}`), stream }));
}

async function leave(): Promise<void> {
  for (const agent of agents) await agent.close();
  agents = [];
}

async function send(episodes: typeof EPISODES): Promise<void> {
  for (const { streams } of episodes)
    for (const [role, frames] of streams.entries()) {
      for (const frame of frames) agents[role]?.sender.append(frame);
      const { episode } = frames[0] as { episode: string };
      agents[role]?.sender.append({ ...stepsFrame(role, WORLD.dims), episode });
    }
  for (const { sender } of agents) expect(await sender.drained(20_000)).toBe(true);
}

const scores = async (): Promise<ScoreReport | undefined> => {
  const answer = await fetch(`${analyzer.url}/api/scores?run=${RUN}`);
  return answer.ok ? ((await answer.json()) as ScoreReport) : undefined;
};

const end = (): Promise<string> =>
  request(link.connection, subjects.analyzerFinished('analyzer'), { body: { run: RUN }, timeoutMs: 20_000 });

const isFinal = async (): Promise<boolean> => {
  const now = await scores();
  return now !== undefined && !now.provisional && !now.pending;
};

const isForgotten = async (): Promise<boolean> => (await scores()) === undefined;

const figures = ({ groups }: ScoreReport) =>
  groups.map(({ direction, samples, paper, strict }) => ({ direction, samples, paper, strict }));

it('forgets a finished run that nobody streams to, and scores it whole when an agent comes back', async () => {
  await begin('kept', []);
  await connect('kept');
  await send(EPISODES);
  await end();
  await waitFor(isFinal, PATIENCE);
  const kept = figures((await scores()) as ScoreReport);
  expect(kept.map(({ samples }) => samples)).toEqual([132, 120]);
  await leave();
  await stopProcess(analyzer, 'SIGTERM');

  await begin('forgotten', SOON);
  await connect('forgotten');
  await send(EPISODES.slice(0, HALF));
  await end();
  await waitFor(isFinal, PATIENCE);
  const half = figures((await scores()) as ScoreReport);
  // Agents are connected.
  await new Promise((done) => setTimeout(done, 6000));
  expect(await isForgotten()).toBe(false);
  await leave();
  await waitFor(isForgotten, PATIENCE);
  const metrics = await (await fetch(`${analyzer.url}/metrics`)).text();
  expect(metrics.split('\n').filter((line) => line.includes(RUN))).toEqual([]);

  await connect('forgotten');
  await waitFor(isFinal, PATIENCE);
  expect(figures((await scores()) as ScoreReport)).toEqual(half);
  await send(EPISODES.slice(HALF));
  await end();
  await waitFor(isFinal, PATIENCE);
  expect(figures((await scores()) as ScoreReport)).toEqual(kept);
  await leave();
  await waitFor(isForgotten, PATIENCE);
  expect((await verifyRun(join(folder, 'forgotten', 'runs', RUN))).faults).toEqual([]);
}, 400_000);
