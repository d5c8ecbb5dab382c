/** A score leads to its run: exemplars of a real analyzer in a real Prometheus, and where Grafana goes from there. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { plantedBranchFrames } from '../fixtures/planted/planted-branch-frames.ts';
import {
  startAnalyzerProcess,
  stopProcess,
  type AnalyzerProcess,
} from '../fixtures/programs/analyzer-process.ts';
import { until } from '../fixtures/programs/demo.ts';
import { startNats, type NatsFixture } from '../fixtures/programs/nats-fixture.ts';
import { startPrometheusIn, type PrometheusProcess } from '../fixtures/programs/prometheus.ts';
import { keys, RUN, startAgent, type TestAgent } from '../fixtures/stream/stream-fixture.ts';

const HISTOGRAM = 'entrain_score_compute_seconds_bucket';

let folder: string;
let nats: NatsFixture;
let analyzer: AnalyzerProcess;
let prometheus: PrometheusProcess;
const agents: TestAgent[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-exemplars-'));
  await writeFile(join(folder, 'public.pem'), keys.publicKeyPem);
  nats = await startNats(['analyzer', 'coordinator']);
  analyzer = await startAnalyzerProcess({ folder, nats, link: await nats.connect('coordinator') });
  const { host } = new URL(analyzer.url);
  prometheus = await startPrometheusIn(folder, ['static_configs:', `  - targets: ["${host}"]`]);
  const url = `${analyzer.url.replace('http', 'ws')}/stream`;
  for (const stream of ['ada', 'ben'])
    agents.push(await startAgent({ url, folder: join(folder, `spool-${stream}`), stream }));
  const world = { seed: 6, scenarios: 6, episodes: 2, turns: 2, alternatives: 4, dims: 16, layers: 2 };
  const frames = plantedBranchFrames({ ...world, run: RUN, condition: 'live', kind: 'moved' });
  for (const [role, own] of frames.entries()) for (const frame of own) agents[role]?.sender.append(frame);
}, 180_000);

afterAll(async () => {
  for (const agent of agents) await agent.close();
  prometheus.child.kill('SIGTERM');
  await new Promise((resolve) => prometheus.child.once('close', resolve));
  await stopProcess(analyzer, 'SIGKILL');
  await nats.close();
  await rm(folder, { recursive: true, force: true });
});

async function ask<T>(path: string, parameters: Record<string, string>): Promise<T[]> {
  const asked = new URLSearchParams(parameters).toString();
  const answer = await fetch(`${prometheus.url}/api/v1/${path}?${asked}`);
  return ((await answer.json()) as { data: T[] }).data;
}

it('has the run of a score as exemplar, which a real Prometheus keeps', async () => {
  const found = await until(
    'an exemplar',
    async () => {
      const range = { start: String(Date.now() / 1000 - 3600), end: String(Date.now() / 1000 + 60) };
      const series = await ask<{ exemplars: { labels: { run: string } }[] }>('query_exemplars', {
        query: HISTOGRAM,
        ...range,
      });
      const exemplars = series.flatMap((one) => one.exemplars);
      return exemplars.length > 0 ? exemplars : undefined;
    },
    120_000,
  );
  expect(new Set(found.map(({ labels }) => labels.run))).toEqual(new Set([RUN]));
}, 180_000);

it('shows the same series in both forms, and plain text to whom does not ask for the other', async () => {
  const answer = await fetch(`${analyzer.url}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const plain = await answer.text();
  expect(plain).toContain(HISTOGRAM);
  expect(plain).not.toMatch(/# \{|# EOF/);
  const named = new Set(plain.match(/^\w+/gm));
  expect(named.size).toBeGreaterThan(50);
  const missing = async (): Promise<string[]> => {
    const stored = new Set(await ask<string>('label/__name__/values', {}));
    return [...named].filter((name) => !stored.has(name));
  };
  await expect.poll(missing, { timeout: 30_000, interval: 500 }).toEqual([]);
}, 60_000);

it('leads from there to the run: Grafana is told where the viewer shows it', async () => {
  const { datasources } = parse(
    await readFile('deploy/grafana/provisioning/datasources/prometheus.yaml', 'utf8'),
  ) as { datasources: { jsonData: { exemplarTraceIdDestinations: { name: string; url: string }[] } }[] };
  const [link] = datasources[0]?.jsonData.exemplarTraceIdDestinations ?? [];
  expect(link?.name).toBe('run');
  const compose = parse(await readFile('deploy/compose.yaml', 'utf8')) as {
    services: Record<'viewer' | 'prometheus', { ports: string[]; command: string[] }>;
  };
  const [, port] = compose.services.viewer.ports[0]?.split(':') ?? [];
  expect(link?.url).toBe(`http://localhost:${port}/?run=$\${__value.raw}`);
  expect(compose.services.prometheus.command).toContain('--enable-feature=exemplar-storage');
  const dashboard = await readFile('deploy/grafana/dashboards/fleet.json', 'utf8');
  expect(dashboard).toContain('"exemplar": true');
});
