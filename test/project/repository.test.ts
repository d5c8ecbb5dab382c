/** What the repository must not contain: paths of a machine, hosts of a registry, files that disagree. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Each pattern has a letter in brackets, so that this file does not match itself. */
const FORBIDDEN: readonly { what: string; pattern: RegExp }[] = [
  { what: 'a path of a machine', pattern: /(?<![\w.$}/-])\/(?:[w]ork|[r]oot|[h]ome|[U]sers)\/[\w.-]/ },
  { what: 'a path of a machine', pattern: /\/(?:[v]ar\/tmp|[t]mp\/bash_)/ },
  {
    what: 'a host of a package registry',
    pattern: /[r]egistry\.npmjs|[d]eb\.debian\.org|[p]ypi\.org\/simple/,
  },
];
const MAX_TEXT_BYTES = 4 * 1024 * 1024;

const tracked = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean);

describe('the repository', () => {
  it('names no path of a machine and no registry host', () => {
    expect(tracked.length).toBeGreaterThan(50);
    expect(tracked.flatMap(findForbidden)).toEqual([]);
  });

  it('is checked by a test that catches a planted path and a planted host', () => {
    const home = ['', 'home', 'someone', 'entrain'].join('/');
    expect(linesWith(`cd ${home}`)).toHaveLength(1);
    expect(linesWith(['"resolved": "https://registry', 'npmjs', 'org/ws"'].join('.'))).toHaveLength(1);
    expect(linesWith('see ../work/notes and src/home/page.ts')).toEqual([]);
  });

  it('locks packages without their download addresses', () => {
    const entries = Object.entries(readLock().packages).filter(([path]) => path !== '');
    expect(entries.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
    expect(entries.filter(([, entry]) => entry.integrity === undefined)).toEqual([]);
  });

  // npm ci refuses a lock without a package that another platform needs.
  it('locks the packages of every platform', () => {
    const { packages } = readLock();
    const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
    const locked = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)));
    expect(wanted.length).toBeGreaterThan(20);
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });
});

interface LockFile {
  packages: Record<
    string,
    { resolved?: string; integrity?: string; optionalDependencies?: Record<string, string> }
  >;
}

function readLock(): LockFile {
  return JSON.parse(readFileSync('package-lock.json', 'utf8')) as LockFile;
}

function findForbidden(path: string): string[] {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 || size > MAX_TEXT_BYTES) return [];
  const text = readFileSync(path, 'utf8');
  return text.includes('\0') ? [] : linesWith(text).map((line) => `${path}: ${line}`);
}

function linesWith(text: string): string[] {
  return FORBIDDEN.flatMap(({ what, pattern }) => {
    const found = pattern.exec(text);
    return found === null ? [] : [`${what}: ${text.slice(found.index, found.index + 60).split('\n')[0]}`];
  });
}
