/**
 * Child programs of the supervisor. Each has a pipe on standard input that closes when the supervisor ends, in
 * whatever way, and then ends itself. Each writes its log to a file, so the terminal stays readable.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import { childEnvironment } from '../../process/environment.ts';
import type { RunClaim } from '../../process/run-folder/run-claim.ts';

export interface Child {
  name: string;
  /** Settles with how the child ended. */
  readonly ended: Promise<ChildEnd>;
  stop(): Promise<void>;
}

export interface ChildEnd {
  name: string;
  status: number | null;
  signal: NodeJS.Signals | null;
  asked: boolean;
}

export interface ChildOptions {
  name: string;
  /** Script and arguments for this Node. */
  argv: string[];
  environment: Readonly<Record<string, string>>;
  logFolder: string;
  /** Claim of the run folder, which records the child for the next owner in case this supervisor is killed. */
  claim: Pick<RunClaim, 'addChild'>;
}

const STOP_MS = 9000;

export async function startChild(options: ChildOptions): Promise<Child> {
  const log = await open(join(options.logFolder, `${options.name}.log`), 'a');
  const child = spawn(process.execPath, options.argv, {
    // A session of its own, so that Ctrl-C reaches only the supervisor, which then stops its children in order.
    detached: true,
    stdio: ['pipe', log.fd, log.fd],
    env: { ...childEnvironment(), ...options.environment, ENTRAIN_SUPERVISED: '1' },
  });
  await log.close();
  let asked = false;
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once('exit', (status, signal) => resolve({ name: options.name, status, signal, asked }));
    child.once('error', () => resolve({ name: options.name, status: 127, signal: null, asked }));
  });
  if (child.pid !== undefined) await options.claim.addChild(child.pid);
  child.stdin?.on('error', () => undefined);
  const stop = async (): Promise<void> => {
    asked = true;
    await stopChild(child, ended);
  };
  return { name: options.name, ended, stop };
}

async function stopChild(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}

/** Error for a child that ended by itself, with the last sentence of its log. */
export async function childFault(end: ChildEnd, logFolder: string): Promise<EntrainError> {
  const file = join(logFolder, `${end.name}.log`);
  const text = await readFile(file, 'utf8').catch(() => '');
  const said = text.split('\n').findLast((line) => line.startsWith('entrain: '));
  const how = end.signal ? `was killed by ${end.signal}` : `ended with status ${end.status}`;
  const why = said ? `: ${said.slice('entrain: '.length)}` : '.';
  return new EntrainError('CHILD_FAILED', `The ${end.name} program ${how}${why} Its log is ${file}.`);
}
