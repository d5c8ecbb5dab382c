/**
 * `targets.json` in the folder of runs: the /metrics addresses of all programs under way, in the form that Prometheus
 * reads from a file (`file_sd_configs`). Each run has entries of its own and removes them when it ends. Those of a
 * killed run are removed by its analyzer, or at the next start of any run.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeAtomic } from '../write-atomic.ts';
import { isSameLife, lifeOf, type ProcessLife } from './process-life.ts';
import { isRunAlive } from './run-alive.ts';

/** Labels that begin with two underscores are for this program; Prometheus drops them. */
const RUN_LABEL = '__entrain_run';
/** The process that started the run, as JSON. */
const OWNER_LABEL = '__entrain_owner';

interface Target {
  targets: string[];
  labels: Record<string, string>;
}

export interface ProgramAddress {
  /** `HOST:PORT` */
  host: string;
  program: string;
}

const FILE = 'targets.json';
/** Readable by all, since Prometheus may run as another user. */
const MODE = 0o644;
/** Two runs that begin at once may overwrite each other's entries; a run that misses its own writes again. */
const TRIES = 5;

/**
 * Replaces the entries of a run; an empty list removes them.
 * @param owner the process whose end is the end of the run; by default this one
 */
export async function putTargets(
  runFolder: string,
  programs: readonly ProgramAddress[],
  owner?: ProcessLife,
): Promise<void> {
  const run = basename(runFolder);
  const life = JSON.stringify(owner ?? (await lifeOf(process.pid)));
  const own = programs.map(({ host, program }) => ({
    targets: [host],
    labels: { program, [RUN_LABEL]: run, [OWNER_LABEL]: life },
  }));
  const runsFolder = dirname(runFolder);
  const isOwn = ({ labels }: Target): boolean => labels[RUN_LABEL] === run;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const others = (await livingTargets(runsFolder)).filter((target) => !isOwn(target));
    await write(runsFolder, [...others, ...own]);
    if ((await readTargets(runsFolder)).filter(isOwn).length === own.length) return;
  }
}

/** Removes the entries of runs whose owner has ended. */
export async function dropEndedTargets(runsFolder: string): Promise<void> {
  const known = await readTargets(runsFolder);
  const living = await livingTargets(runsFolder);
  if (living.length < known.length) await write(runsFolder, living);
}

const write = (runsFolder: string, targets: readonly Target[]): Promise<void> =>
  writeAtomic(join(runsFolder, FILE), `${JSON.stringify(targets, null, 2)}\n`, MODE);

async function livingTargets(runsFolder: string): Promise<Target[]> {
  const targets = await readTargets(runsFolder);
  const alive = await Promise.all(targets.map(({ labels }) => isOwnerAlive(runsFolder, labels)));
  return targets.filter((_, at) => alive[at]);
}

/** Entries of the file; none if it cannot be read. What is no entry of this form is left out. */
async function readTargets(runsFolder: string): Promise<Target[]> {
  try {
    const found = JSON.parse(await readFile(join(runsFolder, FILE), 'utf8')) as unknown;
    return Array.isArray(found) ? found.filter(isTarget) : [];
  } catch {
    return [];
  }
}

function isTarget(value: unknown): value is Target {
  const { targets, labels } = (value ?? {}) as Partial<Target>;
  return Array.isArray(targets) && typeof labels === 'object' && labels !== null;
}

/** A process of another machine or container cannot be looked up; its run counts as long as its claim is touched. */
async function isOwnerAlive(runsFolder: string, labels: Target['labels']): Promise<boolean> {
  const life = parseLife(labels[OWNER_LABEL]);
  const known = life ? await isSameLife(life) : 'ended';
  return known === 'unknown' ? isRunAlive(join(runsFolder, labels[RUN_LABEL] ?? '')) : known === 'alive';
}

function parseLife(text: string | undefined): ProcessLife | undefined {
  try {
    return JSON.parse(text ?? '') as ProcessLife;
  } catch {
    return undefined;
  }
}
