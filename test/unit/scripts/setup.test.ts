/** The decisions of set-up: which Node, which nats-server, whether to install, what a download must be. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkArchive, releaseFor } from '../../../scripts/lib/nats-release.js';
import { isUsable } from '../../../scripts/lib/nats-server.js';
import { isSupported } from '../../../scripts/lib/node-version.js';
import { isCurrent } from '../../../scripts/lib/packages.js';

describe('the Node version', () => {
  it.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('%s is accepted', (version) => {
    expect(isSupported(version)).toBe(true);
  });
  it.each(['12.22.0', '18.20.8', '20.18.3'])('%s is too old', (version) => {
    expect(isSupported(version)).toBe(false);
  });
});

describe('the nats-server version', () => {
  it.each(['2.9.10', '2.10.19', '2.10.28', '2.11.8', '3.0.0'])('%s is used', (version) => {
    expect(isUsable(version)).toBe(true);
  });
  it.each(['2.9.9', '2.10.20', '2.10.27', '1.4.1', undefined])('%s is not used', (version) => {
    expect(isUsable(version)).toBe(false);
  });
});

describe('the installed packages', () => {
  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', optional: true },
  };

  it('are current when all but optional ones are there', () => {
    expect(isCurrent(wanted, { 'node_modules/a': { version: '1.0.0' } })).toBe(true);
  });
  it('are stale when one is missing, of another version, or no longer wanted', () => {
    expect(isCurrent(wanted, {})).toBe(false);
    expect(isCurrent(wanted, { 'node_modules/a': { version: '1.0.1' } })).toBe(false);
    const more = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/c': { version: '1.0.0' } };
    expect(isCurrent(wanted, more)).toBe(false);
  });
  it('are current here, where the tests run', () => {
    const read = (path: string) =>
      JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, object> };
    const installed = read('node_modules/.package-lock.json').packages;
    expect(isCurrent(read('package-lock.json').packages, installed)).toBe(true);
  });
});

describe('the download of nats-server', () => {
  it('is pinned for Linux and macOS, and absent elsewhere', () => {
    expect(releaseFor('linux', 'x64')?.name).toMatch(/^nats-server-v2\.\d+\.\d+-linux-amd64$/);
    expect(releaseFor('darwin', 'arm64')?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(releaseFor('sunos', 'x64')).toBeUndefined();
    expect(isUsable(/v([\d.]+)-/.exec(releaseFor('linux', 'x64')?.name ?? '')?.[1])).toBe(true);
  });
  it('is refused when its hash differs', () => {
    const archive = Buffer.from('an archive');
    const release = { name: 'server', hash: createHash('sha256').update(archive).digest('hex') };
    expect(() => checkArchive(archive, release)).not.toThrow();
    expect(() => checkArchive(Buffer.from('another'), release)).toThrow(/thrown away/);
  });
});
