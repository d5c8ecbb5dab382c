import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEXT_FEATURE_DIMS } from '../../src/protocol/stream/frames.ts';
import type { ScoreReport } from '../../src/protocol/reports/score-report.ts';
import { subjects } from '../../src/protocol/subjects.ts';
import { readScores, withRows, type ScoreLine } from '../../src/recordings/read-scores.ts';
import { request } from '../../src/transport/nats/services.ts';
import type { NatsLink } from '../../src/transport/nats/connection.ts';
import {
  PROGRAM,
  startAnalyzerProcess,
  stopProcess,
  type AnalyzerProcess,
} from '../fixtures/programs/analyzer-process.ts';
import { heldAgainstOffline } from '../fixtures/recordings/measured-offline.ts';
import { startNats, type NatsFixture } from '../fixtures/programs/nats-fixture.ts';
import { plantedEpisodes, type PlantedOptions } from '../fixtures/planted/planted-frames.ts';
import { linesOf } from '../fixtures/recordings/score-lines.ts';
import { keys, RUN, startAgent, waitFor, type TestAgent } from '../fixtures/stream/stream-fixture.ts';
import { findTool } from '../fixtures/programs/tools.ts';

const WORLD: PlantedOptions = {
  run: RUN,
  scenarios: 8,
  episodesPerScenario: 3,
  turns: 14,
  layers: 2,
  dims: 6,
  textDims: TEXT_FEATURE_DIMS,
  conditions: ['live', 'monologue'],
  coupling: 0.9,
  seed: 5,
};

/** Rejects if it ends with a status other than 0. */
const runProgram = promisify(execFile);

let folder: string;
let nats: NatsFixture;
let link: NatsLink;
let analyzer: AnalyzerProcess;
const agents: TestAgent[] = [];

const read = async (path: string): Promise<string> => (await fetch(`${analyzer.url}${path}`)).text();
const report = async (): Promise<ScoreReport> => JSON.parse(await read('/api/scores')) as ScoreReport;

async function finalReport(): Promise<ScoreReport> {
  await waitFor(
    async () => {
      const now = await report();
      return !now.pending && now.groups.length === 4 && now.groups.every((group) => group.strict !== null);
    },
    { what: 'scores of everything', timeoutMs: 180_000 },
  );
  return report();
}

/** The figures that a second computation must repeat. */
const figures = ({ groups }: ScoreReport) =>
  groups.map(({ condition, direction, samples, paper, strict }) => ({
    condition,
    direction,
    samples,
    paper,
    strict,
  }));

async function openAgents(): Promise<void> {
  const url = `${analyzer.url.replace('http', 'ws')}/stream`;
  for (const stream of ['ada', 'ben'])
    agents.push(await startAgent({ url, folder: join(folder, `spool-${stream}`), stream }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-analyzer-'));
  await writeFile(join(folder, 'public.pem'), keys.publicKeyPem);
  nats = await startNats(['analyzer', 'coordinator']);
  link = await nats.connect('coordinator');
  analyzer = await startAnalyzerProcess({ folder, nats, link });
  await openAgents();
});

afterAll(async () => {
  for (const agent of agents) await agent.close();
  if (analyzer.child.exitCode === null) await stopProcess(analyzer, 'SIGKILL');
  await nats.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the analyzer process', () => {
  it('counts turn pairs from the first one on, without a score at first', async () => {
    const [first] = plantedEpisodes(WORLD);
    for (const [role, frames] of first!.streams.entries())
      for (const frame of frames.slice(0, 2)) agents[role]?.sender.append(frame);
    await waitFor(async () => /entrain_synchrony_samples\{.*\} 1\n/.test(await read('/metrics')));
    expect(await read('/metrics')).not.toContain('entrain_synchrony_ratio{');
    expect((await report()).groups[0]?.reason).toMatch(/^(Too few for a score|Not computed yet)/);
  });

  it('scores what real senders stream, with nulls', { timeout: 240_000 }, async () => {
    const [first, ...others] = plantedEpisodes(WORLD);
    for (const [role, frames] of first!.streams.entries())
      for (const frame of frames.slice(2)) agents[role]?.sender.append(frame);
    for (const { streams } of others)
      for (const [role, frames] of streams.entries())
        for (const frame of frames) agents[role]?.sender.append(frame);
    for (const agent of agents) expect(await agent.sender.drained(20_000)).toBe(true);
    const { groups, framesAccepted, framesDurable, differences } = await finalReport();
    expect([framesAccepted, framesDurable]).toEqual(
      Array(2).fill(agents[0]!.sender.lastSeq() + agents[1]!.sender.lastSeq() + 2),
    );
    expect(groups.map(({ condition, direction }) => `${condition} ${direction}`)).toEqual([
      'live first_to_second',
      'live second_to_first',
      'monologue first_to_second',
      'monologue second_to_first',
    ]);
    for (const { condition, strict } of groups) {
      if (condition === 'live') expect(strict?.pValue).toBeLessThan(0.05);
      else expect(strict?.excess).toBeLessThan(0.1);
    }
    expect(differences.map(({ ciLow }) => ciLow > 0)).toEqual([true, true]);
  });

  it('gives the mean of both directions, and marks all figures as provisional while the run is open', async () => {
    const { groups, pairs, provisional } = await report();
    expect(provisional).toBe(true);
    expect(pairs.map(({ condition, figures }) => [condition, figures])).toEqual([
      ['live', 2],
      ['monologue', 2],
    ]);
    for (const { condition, paper, strict } of pairs) {
      const [one, other] = groups.filter((group) => group.condition === condition);
      expect(paper?.score).toBeCloseTo((one!.paper!.score + other!.paper!.score) / 2, 12);
      expect(strict?.excess).toBeCloseTo((one!.strict!.excess + other!.strict!.excess) / 2, 12);
      expect(strict!.ciLow > 0).toBe(condition === 'live');
    }
    const metrics = await read('/metrics');
    expect(metrics).toContain(`\nentrain_synchrony_final{run="${RUN}"} 0\n`);
    expect(metrics).toMatch(/entrain_synchrony_pair_ratio\{.*condition="live",.*mode="paper"\} 0\.\d/);
  });

  it('exposes the figures to Prometheus in valid form', async () => {
    const input = await read('/metrics');
    for (const direction of ['first_to_second', 'second_to_first'])
      for (const mode of ['paper', 'strict']) {
        const labels = `direction="${direction}",condition="live",measure="sync_r2",mode="${mode}"`;
        expect(input).toMatch(new RegExp(`entrain_synchrony_ratio\\{.*${labels}\\} 0\\.\\d`));
        expect(input).toMatch(
          new RegExp(`entrain_synchrony_null_ratio\\{.*${labels},null="\\w+",level="mean"\\} -?\\d`),
        );
      }
    const checked = spawnSync(findTool('promtool'), ['check', 'metrics'], { input, encoding: 'utf8' });
    expect([checked.status, checked.stdout, checked.stderr]).toEqual([0, '', '']);
  });

  it('answers on NATS what it has scored, and refuses an unknown run', async () => {
    const ask = (body: unknown) =>
      request(link.connection, subjects.analyzerState('analyzer'), { body, timeoutMs: 5000 });
    expect((JSON.parse(await ask({ run: RUN })) as ScoreReport).groups).toHaveLength(4);
    await expect(ask({ run: 'other' })).rejects.toThrow('knows no run other');
    expect((await fetch(`${analyzer.url}/api/scores?run=other`)).status).toBe(404);
  });

  it('serves no page: what people look at is the viewer', async () => {
    for (const path of ['/', '/page.js', '/icon.svg']) {
      const answer = await fetch(`${analyzer.url}${path}`);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(await answer.text()).toContain('/api/scores');
    }
  });

  it(
    'takes late turns into the score, and everything can be replayed from the recording',
    { timeout: 900_000 },
    async () => {
      const scoresFile = join(folder, 'runs', RUN, 'scores.jsonl');
      const more = plantedEpisodes({ ...WORLD, episodesPerScenario: 4 }).slice(-4);
      for (const { streams } of more)
        for (const [role, frames] of streams.entries())
          for (const frame of frames) {
            agents[role]?.sender.append(frame);
            await agents[role]?.sender.drained(20_000);
          }
      await finalReport();
      expect(await linesOf(scoresFile, { provisional: false })).toEqual([]);
      await request(link.connection, subjects.analyzerFinished('analyzer'), {
        body: { run: RUN },
        timeoutMs: 20_000,
      });
      await waitFor(async () => !(await report()).provisional, { what: 'final scores' });
      expect(await read('/metrics')).toContain(`\nentrain_synchrony_final{run="${RUN}"} 1\n`);
      const final = async () => (await linesOf(scoresFile, { provisional: false })).map(({ type }) => type);
      await waitFor(async () => (await final()).length === 13, { what: 'the last lines' });
      expect((await final()).toSorted().join(' ')).toMatch(
        /^(beside ){4}(difference ){3}(pair ){2}(score ?){4}$/,
      );
      const flags = ['replay', RUN, '--runs', join(folder, 'runs')];
      const replay = await runProgram(process.execPath, [PROGRAM, ...flags]);
      expect(await readFile(scoresFile, 'utf8')).toContain('"type":"beside"');
      expect(replay.stdout).toMatch(/^(\d+) of \1 scores equal/);
      const last = await runProgram(process.execPath, [PROGRAM, ...flags, '--last']);
      expect(last.stdout).toMatch(/^13 of 13 scores equal/);
    },
  );

  it.each([
    ['strict', 4 * 6 + 2 * 5],
    ['paper', 3 * (4 + 2)],
  ] as const)(
    'gives the same figures as an offline measurement in %s mode',
    { timeout: 240_000 },
    async (mode, count) => {
      const of = { program: PROGRAM, folder: join(folder, 'runs', RUN), mode };
      expect(await heldAgainstOffline(await report(), of)).toEqual({ compared: count, unlike: [] });
    },
  );

  it(
    'gives the same scores from its recording after a kill, and writes with each the rows it was computed from',
    { timeout: 240_000 },
    async () => {
      const before = await finalReport();
      for (const agent of agents.splice(0)) await agent.close();
      await stopProcess(analyzer, 'SIGKILL');
      analyzer = await startAnalyzerProcess({ folder, nats, link });
      await openAgents();
      const after = await finalReport();
      // It was told so before the kill, and the run folder still has that mark.
      expect(after.provisional).toBe(false);
      for (const [index, group] of figures(after).entries())
        for (const mode of ['paper', 'strict'] as const)
          for (const [name, value] of Object.entries(group[mode] ?? {}))
            expect(value, `${mode} ${name}`).toBeCloseTo(
              (figures(before)[index]?.[mode] as never)?.[name],
              6,
            );
      const { lines } = await readScores(join(folder, 'runs', RUN));
      const last = [...withRows(lines)].findLast(({ type }) => type === 'score') as ScoreLine & {
        rows: Record<string, string[]>;
        seed: number;
        samples: number;
      };
      expect(Object.values(last.rows).flat()).toHaveLength(last.samples);
      expect(last.seed).toBeGreaterThan(0);
    },
  );

  it(
    'computes the missing scores of a run that ended while it was away, though no stream opens it',
    { timeout: 240_000 },
    async () => {
      for (const agent of agents.splice(0)) await agent.close();
      await stopProcess(analyzer, 'SIGKILL');
      const scoresFile = join(folder, 'runs', RUN, 'scores.jsonl');
      // The kill may have torn the last line, which the analyzer would cut off.
      const lines = (await readFile(scoresFile, 'utf8')).split('\n').slice(0, -1);
      const provisional = lines.filter((line) => !line.includes('"provisional":false'));
      expect(provisional.length).toBeLessThan(lines.length);
      await writeFile(scoresFile, `${provisional.join('\n')}\n`);
      analyzer = await startAnalyzerProcess({ folder, nats, link });
      const final = () => linesOf(scoresFile, { provisional: false });
      await waitFor(async () => (await final()).length === 13, {
        what: 'the last lines',
        timeoutMs: 180_000,
      });
    },
  );

  it('ends within its deadline when asked to', async () => {
    expect(await stopProcess(analyzer, 'SIGTERM')).toBe(0);
  });
});
