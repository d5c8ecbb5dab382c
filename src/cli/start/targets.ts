/**
 * Every program's /metrics, in the form that Prometheus reads from a file (`file_sd_configs`): one file `targets.json`
 * in the folder of runs, with the
 * programs of all runs that are going on. A run takes its programs out when it ends; those of a run that was killed go
 * at the next start.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AGENT_SERVICE, ANALYZER_SERVICE, COORDINATOR_SERVICE } from '../../protocol/subjects.ts';
import { writeWhole } from '../../process/write-whole.ts';
import { findServices } from '../../transport/nats/services.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';

export interface Target {
  targets: string[];
  labels: Record<string, string>;
}

/** Labels that begin with two underscores are for this program: Prometheus drops them. */
export const RUN_LABEL = '__entrain_run';
export const PID_LABEL = '__entrain_pid';

/** Prometheus may run as another user. */
const MODE = 0o644;
/** Two runs that begin at once may each write over the other's: whoever misses its own writes again. */
const TRIES = 5;

export async function writeTargets(link: NatsLink, runFolder: string): Promise<void> {
  const run = basename(runFolder);
  const own: Target[] = [];
  for (const service of [ANALYZER_SERVICE, COORDINATOR_SERVICE, AGENT_SERVICE]) {
    for (const { metadata } of await findServices(link, service, 200)) {
      const url = new URL(metadata['metricsUrl'] ?? '');
      const program = service.replace('entrain-', '');
      const labels = { program, [RUN_LABEL]: run, [PID_LABEL]: String(process.pid) };
      own.push({ targets: [url.host], labels });
    }
  }
  await putTargets(runFolder, own);
}

/** Puts the programs of a run in the place of those that stood there for it; none take it out. */
export async function putTargets(runFolder: string, own: readonly Target[]): Promise<void> {
  const file = join(dirname(runFolder), 'targets.json');
  const run = basename(runFolder);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const others = (await readTargets(file)).filter(
      ({ labels }) => labels[RUN_LABEL] !== run && isAlive(Number(labels[PID_LABEL])),
    );
    await writeWhole(file, `${JSON.stringify([...others, ...own], null, 2)}\n`, MODE);
    const found = (await readTargets(file)).filter(({ labels }) => labels[RUN_LABEL] === run);
    if (found.length === own.length) return;
  }
}

/** None where there is no such file, or one that nobody can read. */
async function readTargets(file: string): Promise<Target[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Target[];
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
