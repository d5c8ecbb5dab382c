/**
 * Asks the programs of a run for their /metrics. Where they are stands in `targets.json` beside the run folders, which
 * `entrain start` writes for Prometheus.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { samplesIn, type ProgramFigures } from './health-parts.ts';

interface Target {
  targets: string[];
  labels: Record<string, string>;
}

/** The label of `targets.json` that names the run. */
const RUN_LABEL = '__entrain_run';
const PATIENCE_MS = 2000;

/** @param token with which the programs are read; undefined where they ask for none */
export async function programFigures(
  runs: string,
  { run, token }: { run: string; token: string | undefined },
): Promise<ProgramFigures[]> {
  const targets = (await readTargets(join(runs, 'targets.json'))).filter(
    ({ labels }) => labels[RUN_LABEL] === run,
  );
  return Promise.all(
    targets.flatMap(({ targets: places, labels }) =>
      places.map(async (place) => {
        const figures = await readMetrics(place, token);
        return { program: labels['program'] ?? '', place, figures };
      }),
    ),
  );
}

async function readTargets(file: string): Promise<Target[]> {
  try {
    const all = JSON.parse(await readFile(file, 'utf8')) as unknown;
    return Array.isArray(all) ? all.filter(isTarget) : [];
  } catch {
    return [];
  }
}

const isTarget = (value: unknown): value is Target =>
  typeof value === 'object' &&
  value !== null &&
  Array.isArray((value as Target).targets) &&
  typeof (value as Target).labels === 'object' &&
  (value as Target).labels !== null;

async function readMetrics(
  place: string,
  token: string | undefined,
): Promise<ReturnType<typeof samplesIn> | undefined> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(`http://${place}/metrics`, { headers, signal, redirect: 'error' });
    return answer.ok ? samplesIn(await answer.text()) : undefined;
  } catch {
    return undefined;
  }
}
