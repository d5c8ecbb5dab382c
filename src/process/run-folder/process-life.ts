/** Identifies a process beyond its id, which the system gives to another process sooner or later. */
import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

export interface ProcessLife {
  pid: number;
  host: string;
  /** Where the process id is valid: the machine and, on Linux, its boot and the namespace of process ids. */
  place: string;
  /** When the process started, as the system writes it; undefined if it does not say. */
  started?: string;
}

/** Identity of a process on this machine. */
export async function lifeOf(pid: number): Promise<ProcessLife> {
  const [place, started] = await Promise.all([readPlace(), readStart(pid)]);
  return { pid, host: hostname(), place, ...(started === undefined ? {} : { started }) };
}

/**
 * Whether that very process still runs. `unknown` if this machine cannot tell: the process ran elsewhere, or
 * the system does not say when a process started.
 */
export async function isSameLife(life: ProcessLife): Promise<'alive' | 'ended' | 'unknown'> {
  if (life.place !== (await readPlace())) return 'unknown';
  const started = await readStart(life.pid);
  if (life.started !== undefined) return life.started === started ? 'alive' : 'ended';
  return hasProcess(life.pid) ? 'unknown' : 'ended';
}

const ofLinux = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

async function readPlace(): Promise<string> {
  const boot = await ofLinux('/proc/sys/kernel/random/boot_id');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return boot === '' ? hostname() : `${boot.trim()} ${namespace}`;
}

/** Start time of a process; undefined if it does not exist, or has ended and waits to be reaped. */
async function readStart(pid: number): Promise<string | undefined> {
  const self = await ofLinux('/proc/self/stat');
  if (self === '') return startByPs(pid);
  const text = await ofLinux(`/proc/${pid}/stat`);
  // The command's name is in brackets and may hold anything. After it come the state (field 3) and, as field
  // 22, the start time.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

/** For systems without /proc: start time to the second. */
async function startByPs(pid: number): Promise<string | undefined> {
  const asked = promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
  const { stdout } = await asked.catch(() => ({ stdout: '' }));
  return stdout.trim() || undefined;
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
