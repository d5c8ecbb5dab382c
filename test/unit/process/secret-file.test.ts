/** Which files may hold a secret. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { isGuarded, readSecretFile } from '../../../src/process/secret-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'entrain-secret-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a secret that others can read is refused, with its mode and without its text', async () => {
  const file = join(folder, 'password');
  writeFileSync(file, 'hush');
  chmodSync(file, 0o600);
  expect(await readSecretFile('--key', file, 'a key')).toBe('hush');
  for (const mode of [0o640, 0o604, 0o440]) {
    chmodSync(file, mode);
    const refusal = readSecretFile('--key', file, 'a key');
    await expect(refusal).rejects.toThrow(`has mode 0${mode.toString(8)}`);
    await expect(refusal).rejects.not.toThrow('hush');
  }
});

it('where a container engine or systemd keeps secrets the mode does not count', () => {
  expect(isGuarded('/run/secrets/nats-password')).toBe(true);
  expect(isGuarded('/run/credentials/entrain-agent@ada.service/nats-password')).toBe(true);
  expect(isGuarded('/run/secrets/../../tmp/password')).toBe(false);
  expect(isGuarded('/tmp/run/secrets/password')).toBe(false);
});
