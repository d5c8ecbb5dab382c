/** Plays the protocol of the benchmark with one model, by `entrain start`. */
import { spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { packageFile } from '../process/package-file.ts';
import { EntrainError } from '../protocol/errors.ts';

/** The agent whose model is measured. */
export const OWN = 'own';

export interface Protocol {
  /** Study file. */
  file: string;
  name: string;
}

/**
 * @param file in the place of the protocol that is shipped
 * @throws EntrainError `STUDY_INVALID` where it is no JSON with a name
 */
export async function readProtocol(file: string | undefined): Promise<Protocol> {
  const path = resolve(file ?? (await packageFile('studies/benchmark.json')));
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new EntrainError('STUDY_INVALID', `${path} cannot be read: expected a study file.`, { cause });
  });
  try {
    const { name } = JSON.parse(text) as { name?: unknown };
    if (typeof name === 'string') return { file: path, name };
  } catch {
    // Said below.
  }
  throw new EntrainError('STUDY_INVALID', `${path} is no protocol: expected a study in JSON with a name.`);
}

/**
 * The run of a model: one that is there and scored is used as it is, one that was stopped goes on.
 * @returns its folder
 * @throws EntrainError `CHILD_FAILED` where the run did not come to its end
 */
export async function play(
  model: string,
  { protocol, runs, flags }: { protocol: Protocol; runs: string; flags: readonly string[] },
): Promise<string> {
  const run = `${protocol.name}-${basename(resolve(model))}`.replaceAll(/[^A-Za-z0-9_-]/g, '-');
  const folder = join(runs, run);
  if (await isScored(folder)) return folder;
  const command = await packageFile('bin/entrain.js');
  const argv = ['start', '--once', '--json', '--study', protocol.file, '--run', run, '--runs', runs];
  const own = ['--model', `${OWN}=${model}`, '--port', '0', '--view-port', '0'];
  const status = await statusOf([command, ...argv, ...own, ...flags]);
  if (status !== 0)
    throw new EntrainError(
      'CHILD_FAILED',
      `The run ${run} ended with status ${status} before it was scored: see above, and give the same command again.`,
    );
  return folder;
}

/** What the run prints goes to standard error, so that standard output is the benchmark's. */
function statusOf(argv: readonly string[]): Promise<number> {
  return new Promise((done) => {
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
    const stop = (): void => void child.kill('SIGINT');
    process.on('SIGINT', stop).on('SIGTERM', stop);
    const end = (status: number): void => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      done(status);
    };
    child.once('error', () => end(127));
    child.once('exit', (status) => end(status ?? 1));
  });
}

/** `entrain start` writes the report of a run once all of it is scored. */
const isScored = (folder: string): Promise<boolean> =>
  access(join(folder, 'report.html')).then(
    () => true,
    () => false,
  );
