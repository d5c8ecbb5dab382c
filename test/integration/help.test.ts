/** The help of every command: how it is called, what each of its flags does; and asking for it does nothing else. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);

async function entrain(...argv: string[]): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, ['bin/entrain.js', ...argv]);
  expect(stderr).toBe('');
  return stdout;
}

describe('entrain help', () => {
  it('names every command, and where to find more', async () => {
    const text = await entrain('help');
    for (const name of [
      'start',
      'agent',
      'coordinator',
      'analyzer',
      'keys',
      'models',
      'doctor',
      'measure',
      'verify',
    ])
      expect(text).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(text).toContain('entrain help COMMAND');
  });

  it.each([
    ['start', '--budget-gb N'],
    ['agent', '--share-weights'],
    ['coordinator', '--grace-seconds N'],
    ['analyzer', '--no-nats'],
    ['keys', 'keys DIR'],
    ['models', 'models tap DIR'],
    ['doctor', 'doctor'],
    ['measure', '--permutations N'],
    ['verify', 'verify RUN'],
    ['replay', '--last'],
    ['export', '--format npy|safetensors'],
  ])('of %s says how the command is called and what its flags do', async (name, says) => {
    const text = await entrain('help', name);
    expect(text).toMatch(/^entrain /);
    expect(text).toContain(says);
    expect(text).not.toContain('undefined');
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('is one text, however it is asked for, and nothing is started', async () => {
    const text = await entrain('help', 'keys');
    expect(await entrain('keys', '--help')).toBe(text);
    expect(await entrain('keys', '-h')).toBe(text);
    expect(existsSync('--help')).toBe(false);
  });

  it('of an unknown command is an error', async () => {
    await expect(entrain('help', 'dance')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^entrain: There is no command "dance"/) as string,
    });
  });
});
