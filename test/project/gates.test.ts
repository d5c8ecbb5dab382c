/** The gates outside the test suite (lint, format, type check), each tried with something that it must catch. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'entrain-gates-'));
  for (const file of ['.oxlintrc.json', '.prettierrc.json']) copyFileSync(file, join(folder, file));
  const compilerOptions = {
    strict: true,
    target: 'es2023',
    module: 'nodenext',
    noEmit: true,
    allowImportingTsExtensions: true,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the lint', () => {
  it.each([
    [
      'a promise that nobody awaits',
      'no-floating-promises',
      'export const f = (p: Promise<void>): void => {\n  p;\n};\n',
    ],
    ['any', 'no-explicit-any', 'export const f = (x: any): number => x;\n'],
    [
      'a switch that leaves out a case',
      'switch-exhaustiveness-check',
      "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}\n",
    ],
    [
      'a function of more than 40 lines',
      'max-lines-per-function',
      `export function f(): number {\n  let x = 0;\n${'  x += 1;\n'.repeat(45)}  return x;\n}\n`,
    ],
    ['a file of more than 300 lines', 'max-lines', `export const a = 1;\n${'//\n'.repeat(300)}`],
    [
      'more than three parameters',
      'max-params',
      'export const f = (a: number, b: number, c: number, d: number): number => a + b + c + d;\n',
    ],
  ])('catches %s', (_, rule, source) => {
    const { status, output } = lint({ 'planted.ts': source });
    expect(output).toContain(rule);
    expect(status).not.toBe(0);
  });

  it('catches two files that import each other', () => {
    const { status, output } = lint({
      'planted.ts': "import { b } from './other.ts';\nexport const a = (): number => b();\n",
      'other.ts': "import { a } from './planted.ts';\nexport const b = (): number => a();\n",
    });
    expect(output).toContain('no-cycle');
    expect(status).not.toBe(0);
  });

  it('accepts sound code', () => {
    expect(
      lint({ 'planted.ts': 'export const f = async (p: Promise<void>): Promise<void> => p;\n' }).output,
    ).toContain('0 errors');
  });
});

describe('the format', () => {
  it('catches a file that Prettier would write differently', () => {
    writeFileSync(join(folder, 'planted.ts'), 'export const f = "double"\n');
    expect(run('prettier/bin/prettier.cjs', ['--check', 'planted.ts']).status).not.toBe(0);
    writeFileSync(join(folder, 'planted.ts'), "export const f = 'single';\n");
    expect(run('prettier/bin/prettier.cjs', ['--check', 'planted.ts']).status).toBe(0);
  });
});

describe('the type check', () => {
  it('catches a wrong type', () => {
    writeFileSync(join(folder, 'planted.ts'), "export const f: number = 'text';\n");
    expect(run('typescript/bin/tsc', ['-p', '.']).output).toContain('TS2322');
  });
});

function lint(files: Record<string, string>): { status: number | null; output: string } {
  for (const name of ['planted.ts', 'other.ts']) rmSync(join(folder, name), { force: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return run('oxlint/bin/oxlint', ['--type-aware', '--deny-warnings']);
}

function run(program: string, args: string[]): { status: number | null; output: string } {
  const path = resolve('node_modules', program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}
