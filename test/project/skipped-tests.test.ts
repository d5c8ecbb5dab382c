/** Which tests may be skipped: those that need the folder ../shared, and outside CI those that need a namespace. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import config from '../../vitest.config.ts';

/** CI runs on Linux, with ../shared beside the project. */
const ALLOWED = new Set([
  'skipIf(!hasShared)',
  "skipIf(!existsSync(sharedFolder('corpora')))",
  'skipIf(!existsSync(PUBLISHED))',
  'skipIf(!runsSealed())',
  'runIf(onLinux)',
]);
const SKIP = /\b(?:it|test|describe)\.(skipIf\(.*?\)(?=[.(])|runIf\(.*?\)(?=[.(])|skip\b|only\b|todo\b)/g;

/** A test that skips itself while it runs: `({ skip }) => skip(…)`, `context.skip()`. */
const SKIPS_ITSELF = /(?<![\w.])(?:\w*(?:context|ctx)\.)?skip\(/g;

const skipsIn = (text: string): string[] => [
  ...[...text.matchAll(SKIP)].map(([, skip = '']) => skip),
  ...(text.match(SKIPS_ITSELF) ?? []),
];

describe('the rule on skipped tests', () => {
  it('finds no test that is skipped for another reason than ../shared or a namespace', () => {
    const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'test'], {
      encoding: 'utf8',
    });
    const tests = files
      .split('\n')
      .filter((name) => name.endsWith('.test.ts') && !name.includes('skipped-tests'));
    const skips = tests.flatMap((name) =>
      skipsIn(readFileSync(name, 'utf8')).map((skip) => `${name} ${skip}`),
    );
    expect(skips.length).toBeGreaterThan(5);
    expect(skips.filter((line) => !ALLOWED.has(line.slice(line.indexOf(' ') + 1)))).toEqual([]);
  });

  it('finds a planted skip for another reason', () => {
    expect(skipsIn("it.skipIf(!hasShared && slow())('x', y)")).toEqual(['skipIf(!hasShared && slow())']);
    expect(skipsIn("describe.skip('x', y); it.only('z', y)")).toEqual(['skip', 'only']);
    expect(skipsIn("it('x', ({ skip }) => skip(slow)); it('y', (ctx) => ctx.skip())")).toEqual([
      'skip(',
      'ctx.skip(',
    ]);
  });

  it('finds no test file that the suite leaves out', () => {
    expect(config.test?.include).toEqual(['test/**/*.test.ts']);
    expect(config.test).not.toHaveProperty('exclude');
  });
});

describe('a test that needs a namespace', { timeout: 60_000 }, () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'entrain-skips-'))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs one of them where no `unshare` is on PATH. */
  function runWithout(environment: Record<string, string>): { status: number | null; output: string } {
    const config = join(folder, 'vitest.config.mjs');
    const include = ['test/integration/nothing-leaves.test.ts'];
    writeFileSync(config, `export default ${JSON.stringify({ test: { include, root: resolve('.') } })};`);
    const argv = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      config,
      '-t',
      'sends to another machine',
    ];
    const env = { PATH: folder, HOME: folder, TMPDIR: folder, ...environment };
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { env, encoding: 'utf8' });
    return { status, output: stdout + stderr };
  }

  it('fails in CI on a machine that has none, and is skipped elsewhere', () => {
    const inCi = runWithout({ CI: 'true' });
    expect(inCi.status, inCi.output).toBe(1);
    expect(inCi.output).toMatch(/1 failed/);
    const elsewhere = runWithout({});
    expect(elsewhere.status, elsewhere.output).toBe(0);
    expect(elsewhere.output).toMatch(/skipped/);
  });
});
