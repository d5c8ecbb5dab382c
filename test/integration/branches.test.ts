/** Counterfactual branches through the real analyzer: frames in, figures live, at the end, offline and by replay. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BranchReport } from '../../src/protocol/reports/branch-report.ts';
import type { ScoreReport } from '../../src/protocol/reports/score-report.ts';
import { subjects } from '../../src/protocol/subjects.ts';
import { request } from '../../src/transport/nats/services.ts';
import type { NatsLink } from '../../src/transport/nats/connection.ts';
import { plantedBranchFrames, type BranchRunOptions } from '../fixtures/planted/planted-branch-frames.ts';
import {
  PROGRAM,
  startAnalyzerProcess,
  stopProcess,
  type AnalyzerProcess,
} from '../fixtures/programs/analyzer-process.ts';
import { startNats, type NatsFixture } from '../fixtures/programs/nats-fixture.ts';
import { linesOf } from '../fixtures/recordings/score-lines.ts';
import { keys, RUN, startAgent, waitFor, type TestAgent } from '../fixtures/stream/stream-fixture.ts';

const WORLD: BranchRunOptions = {
  run: RUN,
  condition: 'live',
  kind: 'moved',
  seed: 6,
  scenarios: 6,
  episodes: 2,
  turns: 2,
  alternatives: 4,
  dims: 16,
  layers: 2,
};
/** Turns that have branched by the first look. */
const FIRST = 10;
/** An episode frame, and of each alternative of two turns three states of the speaker or one of the listener. */
const framesPerEpisode = (role: number): number => 1 + 2 * 4 * (role === 0 ? 3 : 1);

const runProgram = promisify(execFile);
let folder: string;
let nats: NatsFixture;
let link: NatsLink;
let analyzer: AnalyzerProcess;
const agents: TestAgent[] = [];

const read = async (path: string): Promise<string> => (await fetch(`${analyzer.url}${path}`)).text();
const report = async (): Promise<ScoreReport> => JSON.parse(await read('/api/scores')) as ScoreReport;
const branchesOf = async (condition: string): Promise<BranchReport | null | undefined> =>
  (await report()).groups.find((group) => group.condition === condition)?.branches;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-branches-'));
  await writeFile(join(folder, 'public.pem'), keys.publicKeyPem);
  nats = await startNats(['analyzer', 'coordinator']);
  link = await nats.connect('coordinator');
  analyzer = await startAnalyzerProcess({ folder, nats, link });
  const url = `${analyzer.url.replace('http', 'ws')}/stream`;
  for (const stream of ['ada', 'ben'])
    agents.push(await startAgent({ url, folder: join(folder, `spool-${stream}`), stream }));
});

afterAll(async () => {
  for (const agent of agents) await agent.close();
  if (analyzer.child.exitCode === null) await stopProcess(analyzer, 'SIGKILL');
  await nats.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the analyzer, on counterfactual branches', () => {
  it(
    'gives an anytime-valid verdict before there are enough histories for figures',
    { timeout: 60_000 },
    async () => {
      for (const [role, frames] of plantedBranchFrames(WORLD).entries()) {
        const perEpisode = framesPerEpisode(role);
        for (const frame of frames.slice(0, (FIRST / 2) * perEpisode)) agents[role]?.sender.append(frame);
      }
      await waitFor(async () => (await branchesOf('live'))?.sequential?.histories === FIRST - 4, {
        what: 'a verdict',
        timeoutMs: 30_000,
      });
      const early = await branchesOf('live');
      expect(early?.sequential?.pValue).toBeLessThan(0.05);
      expect(early).toMatchObject({ histories: FIRST, branches: 4 * FIRST, influence: null, matched: null });
      expect(early?.reason).toContain('3 of 6');
    },
  );

  it(
    'gives influence and matched SyncR² live, exactly 0 if no agent hears',
    { timeout: 120_000 },
    async () => {
      for (const [role, frames] of plantedBranchFrames(WORLD).entries()) {
        const perEpisode = framesPerEpisode(role);
        for (const frame of frames.slice((FIRST / 2) * perEpisode)) agents[role]?.sender.append(frame);
      }
      const unheard = plantedBranchFrames({ ...WORLD, kind: 'unheard', condition: 'monologue' });
      for (const [role, frames] of unheard.entries())
        for (const frame of frames) agents[role]?.sender.append(frame);
      for (const agent of agents) expect(await agent.sender.drained(20_000)).toBe(true);
      await waitFor(async () => !(await report()).pending, {
        what: 'figures of everything',
        timeoutMs: 60_000,
      });
      expect(await branchesOf('live')).toMatchObject({ histories: 24, branches: 96 });
      expect((await branchesOf('live'))?.influence?.value).toBeGreaterThan(0.2);
      expect((await branchesOf('live'))?.matched?.pValue).toBe(0.005);
      expect(await branchesOf('monologue')).toMatchObject({
        histories: 24,
        influence: { value: 0, ciLow: 0, ciHigh: 0 },
        matched: null,
        reason: 'the states of the listener do not move with the alternatives',
      });
      const metrics = await read('/metrics');
      expect(metrics).toMatch(/entrain_synchrony_influence_ratio\{.*condition="monologue"\} 0\n/);
      expect(metrics).toMatch(/entrain_synchrony_matched_ratio\{.*condition="live",predictor="both"\} 0\.\d/);
    },
  );

  it(
    'publishes all figures at the end, and replay and offline measure give the same',
    { timeout: 240_000 },
    async () => {
      const live = await branchesOf('live');
      await request(link.connection, subjects.analyzerFinished('analyzer'), {
        body: { run: RUN },
        timeoutMs: 20_000,
      });
      await waitFor(async () => !(await report()).provisional, { what: 'final figures' });
      const file = join(folder, 'runs', RUN, 'scores.jsonl');
      const final = async () => linesOf(file, { provisional: false });
      await waitFor(async () => (await final()).length === 2, { what: 'the last lines' });
      expect((await final())[0]).toMatchObject({
        type: 'influence',
        condition: 'live',
        distance: 1,
        histories: 24,
        influence: { value: live?.influence?.value, ci: [live?.influence?.ciLow, live?.influence?.ciHigh] },
        matched: { score: live?.matched?.score, p_value: 0.005 },
        sequential: { p_value: live?.sequential?.pValue },
      });
      const replay = await runProgram(process.execPath, [
        PROGRAM,
        'replay',
        RUN,
        '--runs',
        join(folder, 'runs'),
      ]);
      expect(replay.stdout).toMatch(/^(\d+) of \1 scores equal/);
      const flags = ['measure', 'influence', '--run', join(folder, 'runs', RUN), '--json'];
      const { stdout } = await runProgram(process.execPath, [PROGRAM, ...flags]);
      const { groups } = JSON.parse(stdout) as { groups: Record<string, unknown>[] };
      expect(groups[0]).toMatchObject({
        condition: 'live',
        direction: 'first_to_second',
        source_role: 1,
        target_role: 2,
        histories: 24,
        influence: { value: live?.influence?.value, ci: [live?.influence?.ciLow, live?.influence?.ciHigh] },
        matched: { score: live?.matched?.score, p_value: 0.005, bystander: live?.matched?.bystander },
      });
      expect(groups[1]).toMatchObject({ condition: 'monologue', influence: { value: 0 }, matched: null });
    },
  );
});
