/**
 * Writes the /metrics addresses of all programs in the form that Prometheus reads from a file
 * (`file_sd_configs`): one file `targets.json` in the folder of runs, for all runs under way. A run removes its
 * programs when it ends; those of a killed run are removed at the next start.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AGENT_SERVICE, ANALYZER_SERVICE, COORDINATOR_SERVICE } from '../../protocol/subjects.ts';
import { writeAtomic } from '../../process/write-atomic.ts';
import { findServices } from '../../transport/nats/services.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';

export interface Target {
  targets: string[];
  labels: Record<string, string>;
}

/** Labels that begin with two underscores are for this program; Prometheus drops them. */
export const RUN_LABEL = '__entrain_run';
export const PID_LABEL = '__entrain_pid';

/** Readable by all, since Prometheus may run as another user. */
const MODE = 0o644;
/** Two runs that begin at once may overwrite each other's entries; a run that misses its own writes again. */
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

/** Replaces the entries of a run; an empty list removes them. */
export async function putTargets(runFolder: string, own: readonly Target[]): Promise<void> {
  const file = join(dirname(runFolder), 'targets.json');
  const run = basename(runFolder);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const others = (await readTargets(file)).filter(
      ({ labels }) => labels[RUN_LABEL] !== run && isAlive(Number(labels[PID_LABEL])),
    );
    await writeAtomic(file, `${JSON.stringify([...others, ...own], null, 2)}\n`, MODE);
    const found = (await readTargets(file)).filter(({ labels }) => labels[RUN_LABEL] === run);
    if (found.length === own.length) return;
  }
}

/** Entries of the file; empty if there is none or it cannot be read. */
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
