/**
 * Makes sure that a run folder has one owner at a time. The owner keeps a file `running.N` with its process id
 * in the folder. The file may outlive the owner (kill -9, loss of power); the next program then checks whether
 * that process still exists. No lock of the file system is needed: a claim is a hard link with the next number
 * N, which only one program can make, and a program that finds a second living claim beside its own withdraws
 * and tries again.
 */
import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rename, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../make-folder.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { systemClock } from '../clock.ts';
import { isSameLife, lifeOf, type ProcessLife } from './process-life.ts';

/** Content of a claim file. */
interface Claim extends ProcessLife {
  program: string;
  /** Number of the lease under which it was made, by a coordinator that another one may stand in for. */
  lease?: number;
  /** Programs that the owner started; they may outlive it for some seconds. */
  children: ProcessLife[];
}

export interface RunClaim {
  /** Adds a program that was started for the run; the next owner waits for its end. */
  addChild(pid: number): Promise<void>;
  release(): Promise<void>;
}

export interface ClaimOptions {
  run: string;
  /** The run folder; created if needed. */
  folder: string;
  program: string;
  /** Claims under an earlier lease count as released, though their owner may live. */
  lease?: number;
  /** How often the owner touches its claim. */
  beatMs?: number;
  /** How long an untouched claim is watched if its process cannot be looked up; several beats. */
  watchMs?: number;
  /** How long the programs of a killed owner may take to end. */
  orphansMs?: number;
}

const NAME = /^running\.(\d+)$/;
const BEAT_MS = 1000;
const WATCH_MS = 10_000;
/** A program that lost its supervisor stops in order, and is ended by its own deadline. */
const ORPHANS_MS = 20_000;
const POLL_MS = 100;

/**
 * Claims a run folder for this process until `release`, or until the process ends. Waits for programs that a
 * killed owner left behind.
 * @throws EntrainError `RUN_RUNNING` while another program has the run; `CONFIG_INVALID` if the folder cannot
 * be written
 */
export async function claimRun(options: ClaimOptions): Promise<RunClaim> {
  const { folder, program } = options;
  const leased = options.lease === undefined ? {} : { lease: options.lease };
  const own: Claim = { ...(await lifeOf(process.pid)), program, ...leased, children: [] };
  const made = await makeFolder(folder).catch((cause: unknown) => {
    throw notWritable(folder, cause);
  });
  const file = await takePlace(options, own);
  const timer = setInterval(() => void touch(file), options.beatMs ?? BEAT_MS).unref();
  let last: Promise<void> = Promise.resolve();
  const release = async (): Promise<void> => {
    clearInterval(timer);
    await last;
    await rm(file, { force: true });
    await removeEmpty(folder, made ?? folder);
  };
  const note = async (after: Promise<void>, pid: number): Promise<void> => {
    await after;
    own.children.push(await lifeOf(pid));
    await writeFile(`${file}.draft`, JSON.stringify(own));
    await rename(`${file}.draft`, file);
  };
  const addChild = (pid: number): Promise<void> => (last = note(last, pid));
  return { addChild, release };
}

/** Removes the folders that a refused start created, from `first` on, unless they hold something. */
async function removeEmpty(folder: string, first: string): Promise<void> {
  const gone = await rmdir(folder).then(
    () => true,
    () => false,
  );
  if (gone && folder !== first) await removeEmpty(dirname(folder), first);
}

/** @returns path of the claim file */
async function takePlace(options: ClaimOptions, own: Claim): Promise<string> {
  const { folder } = options;
  for (;;) {
    const before = await readClaims(folder);
    for (const other of before) await requireEnded(other, options);
    const number = Math.max(0, ...before.map((claim) => claim.number)) + 1;
    const file = join(folder, `running.${number}`);
    if (!(await linkClaim(file, own))) continue;
    const others = (await readClaims(folder)).filter((claim) => claim.number !== number);
    const rivals = others.filter((claim) => !before.some((known) => known.number === claim.number));
    if (rivals.length === 0) {
      for (const { file: stale } of others) await rm(stale, { force: true });
      return file;
    }
    await rm(file, { force: true });
    await wait(Math.random() * POLL_MS);
  }
}

/** @returns false if another program took the number meanwhile */
async function linkClaim(file: string, own: Claim): Promise<boolean> {
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, JSON.stringify(own), { mode: 0o600 });
    await link(draft, file);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw notWritable(file, cause);
  } finally {
    await rm(draft, { force: true });
  }
}

interface FoundClaim {
  number: number;
  file: string;
  claim: Claim | undefined;
}

async function readClaims(folder: string): Promise<FoundClaim[]> {
  const numbers = (await readdir(folder)).flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number);
  return Promise.all(
    numbers.map(async (number) => {
      const file = join(folder, `running.${number}`);
      return { number, file, claim: parseClaim(await readFile(file, 'utf8').catch(() => '')) };
    }),
  );
}

/** The claim in a file; undefined if a loss of power emptied it, or it was released meanwhile. */
function parseClaim(text: string): Claim | undefined {
  try {
    const claim = JSON.parse(text) as Claim;
    return Number.isInteger(claim.pid) && Array.isArray(claim.children) ? claim : undefined;
  } catch {
    return undefined;
  }
}

/** Settles when the owner of a claim and the programs that it started have ended. */
async function requireEnded({ file, claim }: FoundClaim, options: ClaimOptions): Promise<void> {
  if (!claim || isOutranked(claim, options)) return;
  if (await isAlive(claim, file, options)) throw running(options, claim);
  const limitMs = options.orphansMs ?? ORPHANS_MS;
  const startMs = systemClock.monotonicMs();
  for (const child of claim.children) {
    while ((await isSameLife(child)) === 'alive') {
      const waitedMs = systemClock.monotonicMs() - startMs;
      if (waitedMs > limitMs) throw running(options, { ...claim, pid: child.pid });
      // By process id and start time it is a program of that owner, and nothing else would end it.
      if (waitedMs > limitMs / 2) endProcess(child.pid);
      await wait(POLL_MS);
    }
  }
}

const isOutranked = ({ lease }: Claim, by: ClaimOptions): boolean =>
  lease !== undefined && by.lease !== undefined && lease < by.lease;

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // it has ended meanwhile, or is another user's
  }
}

/**
 * Whether the owner of a claim lives. If the process table cannot tell (another machine or container), a claim
 * that is still touched counts as alive.
 */
async function isAlive(claim: Claim, file: string, options: ClaimOptions): Promise<boolean> {
  const known = await isSameLife(claim);
  if (known !== 'unknown') return known === 'alive';
  const touchedMs = async (): Promise<number | undefined> =>
    stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
  const first = await touchedMs();
  const deadlineMs = systemClock.monotonicMs() + (options.watchMs ?? WATCH_MS);
  while (systemClock.monotonicMs() < deadlineMs) {
    const now = await touchedMs();
    if (now === undefined) return false;
    if (now !== first) return true;
    await wait(POLL_MS);
  }
  return false;
}

async function touch(file: string): Promise<void> {
  const now = new Date(systemClock.nowMs());
  await utimes(file, now, now).catch(() => undefined);
}

function running({ run, folder }: ClaimOptions, { pid, host, program }: Claim): EntrainError {
  return new EntrainError(
    'RUN_RUNNING',
    `Run ${run} is running here (pid ${pid}, "entrain ${program}" on ${host}, in ${folder}): wait for its end, stop that program, or choose another --run; nothing of it was touched.`,
  );
}

const notWritable = (place: string, cause: unknown): EntrainError =>
  new EntrainError(
    'CONFIG_INVALID',
    `${place} cannot be written (${(cause as NodeJS.ErrnoException).code}): expected a folder that this user may write to; name another with --runs.`,
    { cause },
  );

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
