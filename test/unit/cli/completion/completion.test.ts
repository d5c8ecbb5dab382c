/** Completion: the words are those of the help, and bash completes by the script as it is printed. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commandWords } from '../../../../src/cli/completion/command-words.ts';
import { ownHelp } from '../../../../src/cli/own-help.ts';

let folder: string;
let script: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'entrain-completion-'));
  mkdirSync(join(folder, 'runs', 'monday'), { recursive: true });
  mkdirSync(join(folder, 'runs', 'tuesday'));
  writeFileSync(join(folder, 'study.json'), '{}');
  script = execFileSync(process.execPath, [resolve('bin/entrain.js'), 'completion', 'bash'], {
    encoding: 'utf8',
  });
  writeFileSync(join(folder, 'entrain.bash'), script);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What bash offers behind these words. */
function completed(...words: string[]): string[] {
  const line = ['entrain', ...words].map((word) => `'${word}'`).join(' ');
  const ask = `source entrain.bash; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _entrain; printf '%s\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', ask], { encoding: 'utf8', cwd: folder })
    .trim()
    .split('\n')
    .filter(Boolean);
}

it('completes commands, their flags and their values', () => {
  expect(completed('st')).toEqual(['start', 'stop', 'study']);
  expect(completed('start', '--vi')).toEqual(['--view-port', '--view-token-file']);
  expect(completed('start', '--study', 'st')).toEqual(['study.json']);
  expect(completed('view', 'mon')).toEqual(['monday']);
  expect(completed('verify', '')).toEqual(['monday', 'tuesday']);
  expect(completed('export', 'monday', '--format', '')).toEqual([
    'npy',
    'safetensors',
    'csv',
    'parquet',
    'sotopia',
  ]);
  expect(completed('study', 'p')).toEqual(['plan']);
  expect(completed('completion', '')).toEqual(['bash', 'zsh', 'fish']);
});

it('knows every flag of a table, what it takes and what it is about', () => {
  const help = [
    'entrain dance [RUN]',
    '  Dances.',
    '',
    '  --study FILE    the study, as --once says',
    '  --once          to the end',
    '  --kind a|b      which',
  ].join('\n');
  expect(commandWords('dance', { summary: 'dances', help })).toEqual({
    name: 'dance',
    summary: 'dances',
    subcommands: [],
    operand: 'run',
    flags: [
      { name: 'study', values: 'file', about: 'the study, as --once says' },
      { name: 'once', values: undefined, about: 'to the end' },
      { name: 'kind', values: ['a', 'b'], about: 'which' },
    ],
  });
});

it('shows of a program with several commands the help of the one that was asked for', () => {
  const help = 'entrain verify RUN\n  checks\nentrain pin RUN, entrain unpin RUN\n  keeps\nRUN is a name.';
  expect(ownHelp(help, 'verify')).toBe('entrain verify RUN\n  checks\nRUN is a name.');
  expect(ownHelp(help, 'unpin')).toBe('entrain pin RUN, entrain unpin RUN\n  keeps\nRUN is a name.');
  expect(ownHelp(help, 'other')).toBe(help);
});
