import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../../src/cli/keys.ts';
import { verifyToken } from '../../../src/transport/stream/auth/access-token.ts';
import { temporaryFolder } from '../../fixtures/stream/stream-fixture.ts';

const said: string[] = [];
vi.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text));
afterEach(() => void said.splice(0));

describe('entrain keys', () => {
  it('makes a key pair, and signs tokens for one stream of one run', async () => {
    const folder = join(await temporaryFolder(), 'keys');
    expect(await run([folder])).toBe(0);
    expect(said.splice(0).join()).toContain(join(folder, 'stream-private.pem'));
    expect(await run(['token', folder, '--run', 'try', '--stream', 'py', '--minutes', '1'])).toBe(0);
    const publicKey = await readFile(join(folder, 'stream-public.pem'), 'utf8');
    const claims = verifyToken(publicKey, said[0] as string, { nowMs: Date.now() });
    expect(claims).toMatchObject({ run: 'try', stream: 'py', mode: 'write' });
    expect(() => verifyToken(publicKey, said[0] as string, { nowMs: Date.now() + 61_000 })).toThrow(
      'expired',
    );
  });

  it('refuses to write a second pair into a folder, and refuses a path that is no folder', async () => {
    const folder = await temporaryFolder();
    await run([folder]);
    await expect(run([folder])).rejects.toThrow('a folder without keys');
    for (const argv of [[], ['a', 'b'], ['token']])
      await expect(run(argv)).rejects.toThrow('The folder is missing');
    await expect(run(['token', folder, '--run', 'try'])).rejects.toThrow('--stream is missing');
  });
});
