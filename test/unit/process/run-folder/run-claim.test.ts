/**
 * Tests of one owner at a time for a run folder, with real processes that are killed, started at once, and
 * given each other's ids.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lifeOf } from '../../../../src/process/run-folder/process-life.ts';
import { claimRun, type ClaimOptions } from '../../../../src/process/run-folder/run-claim.ts';
import { temporaryFolder } from '../../../fixtures/stream/stream-fixture.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const runFolder = async (): Promise<string> => join(await temporaryFolder(), 'r1');
const claim = (folder: string, more: Partial<ClaimOptions> = {}) =>
  claimRun({ run: 'r1', folder, program: 'start', ...more });

/** A process that claims the folder, prints the outcome, and stays. */
async function claimant(folder: string, lease?: number): Promise<{ child: ChildProcess; said: string }> {
  const code = `import('./dist/src/process/run-folder/run-claim.js')
    .then(({ claimRun }) => claimRun({ run: 'r1', folder: ${JSON.stringify(folder)}, program: 'start', lease: ${lease} }))
    .then(() => 'has it', (error) => error.message)
    .then((said) => { console.log(said); setInterval(() => {}, 1000); });`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: text.toString().trim() };
}

async function killed({ child }: { child: ChildProcess }): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Content of a claim file. */
const writeClaim = (folder: string, fields: object): void =>
  writeFileSync(join(folder, 'running.1'), JSON.stringify({ program: 'start', children: [], ...fields }));

describe('a run folder', () => {
  it('is refused while another process owns it, and that process is named', async () => {
    const folder = await runFolder();
    const owner = await claimant(folder);
    expect(owner.said).toBe('has it');
    const told = await claim(folder).catch((error: unknown) => error);
    expect(told).toMatchObject({ code: 'RUN_RUNNING' });
    expect(String(told)).toContain(`Run r1 is running here (pid ${owner.child.pid}`);
  });

  it('goes from a coordinator that lives to the one of a later lease, and to none of an earlier or the same', async () => {
    const folder = await runFolder();
    expect((await claimant(folder, 7)).said).toBe('has it');
    for (const lease of [6, 7, undefined])
      expect(
        await claim(folder, lease === undefined ? {} : { lease }).catch((error: unknown) => error),
      ).toMatchObject({
        code: 'RUN_RUNNING',
      });
    const { release } = await claim(folder, { lease: 8 });
    await release();
  });

  it('goes to one of eight processes that ask at the same moment, also over the claim of a killed one', async () => {
    const folder = await runFolder();
    for (let round = 0; round < 3; round += 1) {
      const all = await Promise.all(Array.from({ length: 8 }, () => claimant(folder)));
      expect(all.filter(({ said }) => said === 'has it')).toHaveLength(1);
      expect(all.filter(({ said }) => said.startsWith('Run r1 is running here'))).toHaveLength(7);
      await Promise.all(all.map(killed));
      expect(readdirSync(folder)).toHaveLength(1);
    }
  });

  it('goes to the next process at once when its owner was killed or has released it', async () => {
    const folder = await runFolder();
    await killed(await claimant(folder));
    const startMs = performance.now();
    const first = await claim(folder);
    await first.release();
    await (await claim(folder)).release();
    expect(performance.now() - startMs).toBeLessThan(2000);
    expect(existsSync(folder)).toBe(false);
  });

  it('goes to the next process if the owner’s id belongs to another program now, or a loss of power emptied the claim', async () => {
    const folder = await runFolder();
    await mkdir(folder);
    const life = await lifeOf(process.pid);
    for (const stale of [
      { ...life, started: '1' },
      { ...life, pid: 2 ** 22 },
    ]) {
      writeClaim(folder, stale);
      await (await claim(folder)).release();
      await mkdir(folder, { recursive: true });
    }
    writeFileSync(join(folder, 'running.7'), '');
    await (await claim(folder)).release();
  });

  it('is not taken from an owner on another machine while that owner touches its claim', async () => {
    const folder = await runFolder();
    await mkdir(folder);
    writeClaim(folder, { pid: process.pid, host: 'elsewhere', place: 'another boot' });
    const touching = setInterval(() => utimesSync(join(folder, 'running.1'), new Date(), new Date()), 100);
    await expect(claim(folder, { watchMs: 2000 })).rejects.toThrow('"entrain start" on elsewhere');
    clearInterval(touching);
    await (await claim(folder, { watchMs: 500 })).release();
  });

  it('is touched by its owner, so that other machines see that the owner lives', async () => {
    const folder = await runFolder();
    const owner = await claim(folder, { beatMs: 50 });
    utimesSync(join(folder, 'running.1'), 0, 0);
    await expect.poll(() => lastTouched(folder)).toBeGreaterThan(Date.now() - 60_000);
    await owner.release();
  });
});

describe('programs left behind by a killed owner', () => {
  it('are waited for, since two of them in one folder would write to the same files', async () => {
    const { folder, orphan } = await leftBehind('setTimeout(() => {}, 1500)');
    const owner = await claim(folder);
    await expect.poll(() => orphan.exitCode).toBe(0);
    await owner.release();
  });

  it('are ended if they do not end by themselves', async () => {
    const { folder, orphan } = await leftBehind('setInterval(() => {}, 1000)');
    const owner = await claim(folder, { orphansMs: 2000 });
    await expect.poll(() => orphan.signalCode).toBe('SIGTERM');
    await owner.release();
  });

  it('keep the run from others if they cannot be ended', async () => {
    const { folder, orphan } = await leftBehind(
      "process.on('SIGTERM', () => {}); console.log('armed'); setInterval(() => {}, 1000)",
    );
    await once(orphan.stdout as NonNullable<ChildProcess['stdout']>, 'data');
    await expect(claim(folder, { orphansMs: 1000 })).rejects.toThrow(`(pid ${orphan.pid},`);
  });
});

/** The claim of a dead owner that had started a process running `code`. */
async function leftBehind(code: string): Promise<{ folder: string; orphan: ChildProcess }> {
  const folder = await runFolder();
  await mkdir(folder);
  const orphan = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(orphan);
  const life = await lifeOf(process.pid);
  writeClaim(folder, { ...life, started: '1', children: [await lifeOf(orphan.pid ?? 0)] });
  return { folder, orphan };
}

async function lastTouched(folder: string): Promise<number> {
  return (await stat(join(folder, 'running.1'))).mtimeMs;
}
