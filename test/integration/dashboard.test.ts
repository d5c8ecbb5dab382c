/**
 * Every expression of the Grafana dashboards and of the recording rules, evaluated by a real Prometheus that watches
 * the demo run. A panel that would stay empty fails.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildDashboard, DASHBOARD_NAMES, EVENTS } from '../../deploy/grafana/dashboard.ts';
import { demoFolder, startDemo, until, writeSmallStudy, type Demo } from '../fixtures/programs/demo.ts';
import { startPrometheusIn, type PrometheusProcess } from '../fixtures/programs/prometheus.ts';

/**
 * Just enough for a score in both conditions and directions: six scenarios, 24 episodes, 120 turn pairs; and steps of
 * one layer, with their control.
 */
const STUDY = {
  scenarios: 6,
  episodes: 4,
  maxTurns: 12,
  maxTokens: 8,
  steps: { layers: [3], control: true },
};
const STUDY_MS = 480_000;

interface Panel {
  title?: string;
  targets?: { refId?: string; expr?: string }[];
}

const expressions = DASHBOARD_NAMES.flatMap((dashboard) =>
  (buildDashboard(dashboard).panels as Panel[]).flatMap(({ title = '', targets = [] }) =>
    targets.map(({ refId = '', expr = '' }) => ({ name: `${dashboard}: ${title} ${refId}`, expr })),
  ),
);

let folder: string;
let prometheus: PrometheusProcess;
let demo: Demo;
const startedAtMs = Date.now();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-dashboard-'));
  prometheus = await startPrometheus();
  demo = startDemo(folder, await writeSmallStudy(folder, STUDY));
  const done = await Promise.race([
    until('the end of the study', () => /^serving /m.test(demo.output()), STUDY_MS),
    demo.ended,
  ]);
  expect(done, demo.output()).toBe(true);
  // One more scrape by Prometheus at the final figures.
  const endMs = Date.now();
  await until('a scrape after the end', async () => (await lastScrapeMs()) > endMs);
}, STUDY_MS + 60_000);

afterAll(async () => {
  demo.child.kill('SIGTERM');
  await demo.ended;
  prometheus.child.kill('SIGTERM');
  await new Promise((resolve) => prometheus.child.once('close', resolve));
  await rm(folder, { recursive: true, force: true });
});

describe('the dashboards, evaluated by a real Prometheus during a study', () => {
  it('has expressions', () => {
    expect(expressions.length).toBeGreaterThan(30);
  });

  it.each(expressions)(
    'has an answer for $name',
    async ({ expr }) => {
      // Secondary analyses come after the last scores, up to a minute later.
      const samples = (): Promise<number> => finiteSamples(concrete(expr));
      await expect.poll(samples, { message: expr, timeout: 100_000, interval: 1000 }).toBeGreaterThan(0);
    },
    120_000,
  );

  it('marks when the run began, and takes the queries of the other events', async () => {
    const found = await Promise.all(EVENTS.map(({ expr }) => finiteSamples(expr)));
    expect(found[0]).toBeGreaterThan(0);
  });

  it('has recording rules that answer', async () => {
    const { groups } = parse(await readFile('deploy/rules.yml', 'utf8')) as {
      groups: { rules: { record: string; expr: string }[] }[];
    };
    for (const { record, expr } of groups.flatMap(({ rules }) => rules))
      expect(await finiteSamples(expr), record).toBeGreaterThan(0);
  });

  it('would fail for a panel that stays empty', async () => {
    expect(await finiteSamples('entrain_synchrony_ratio{mode="planted"}')).toBe(0);
  });
});

/** Replaces the variables that Grafana fills in. */
function concrete(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '10s')
    .replaceAll(/\$(agent|condition|source_model|run)\b/g, '.*');
}

interface Answer {
  status: string;
  data: { result: { values: [number, string][] }[] };
}

/** Number of samples with a finite value over all seconds of the study. */
async function finiteSamples(query: string): Promise<number> {
  const range = { start: String(startedAtMs / 1000), end: String(Date.now() / 1000), step: '1' };
  const answer = await ask<Answer>('query_range', { query, ...range });
  const values = answer.data.result.flatMap((series) => series.values.map(([, value]) => Number(value)));
  return values.filter(Number.isFinite).length;
}

async function lastScrapeMs(): Promise<number> {
  const query = 'min(timestamp(up))';
  const answer = await ask<{ data: { result: { value: [number, string] }[] } }>('query', { query });
  return Number(answer.data.result[0]?.value[1] ?? 0) * 1000;
}

async function ask<T>(path: string, parameters: Record<string, string>): Promise<T> {
  const response = await fetch(`${prometheus.url}/api/v1/${path}`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
  });
  const answer = (await response.json()) as T & { status: string };
  expect(answer.status, JSON.stringify(answer)).toBe('success');
  return answer;
}

function startPrometheus(): Promise<PrometheusProcess> {
  const file = `${dirname(demoFolder(folder))}/targets.json`;
  return startPrometheusIn(folder, ['file_sd_configs:', `  - { files: ["${file}"], refresh_interval: 1s }`]);
}
