/** A fault that a user can mend gives one sentence with its code from the real command, and never a stack trace. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeKeys } from '../../src/cli/keys.ts';
import { runsSealed } from '../fixtures/network/sealed-network.ts';
import { writeSmallStudy } from '../fixtures/programs/demo.ts';
import { findNatsServer } from '../fixtures/programs/tools.ts';

const PROGRAM = resolve('bin/entrain.js');

let folder: string;
let publicKey: string;
let study: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-errors-'));
  ({ publicKey } = await writeKeys(join(folder, 'keys')));
  study = await writeSmallStudy(folder, { scenarios: 1, episodes: 2, maxTurns: 4, maxTokens: 6 });
  await writeFile(join(folder, 'file'), 'no folder');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a fault that a user can mend', () => {
  it.each([
    ['an unknown command', () => ['nope'], { status: 2, code: 'USAGE' }],
    ['an unknown flag', () => ['start', '--nope'], { status: 2, code: 'USAGE' }],
    [
      'a study that is not there',
      () => ['start', '--study', join(folder, 'none.json')],
      { status: 1, code: 'STUDY_INVALID' },
    ],
    [
      'a file where keys should go',
      () => ['keys', join(folder, 'file/keys')],
      { status: 1, code: 'FILE_UNUSABLE' },
    ],
    [
      'a folder under /proc as --runs of start',
      () => start('/proc/entrain/runs'),
      { status: 1, code: 'CONFIG_INVALID' },
    ],
    [
      'a folder under /proc as --runs of analyzer',
      () => analyzer('/proc/entrain/runs'),
      { status: 1, code: 'FILE_UNUSABLE' },
    ],
    [
      'a file that holds no key',
      () => ['analyzer', '--no-nats', '--port', '0', '--runs', folder, '--public-key', join(folder, 'file')],
      { status: 1, code: 'CONFIG_INVALID' },
    ],
    ['a file as --runs of start', () => start(join(folder, 'file')), { status: 1, code: 'CONFIG_INVALID' }],
    [
      'a file as --runs of analyzer',
      () => analyzer(join(folder, 'file')),
      { status: 1, code: 'FILE_UNUSABLE' },
    ],
    ['a file as --runs of view', () => view(join(folder, 'file')), { status: 1, code: 'CONFIG_INVALID' }],
    [
      'a folder below a file as --runs of view',
      () => view(join(folder, 'file/runs')),
      { status: 1, code: 'CONFIG_INVALID' },
    ],
  ])('is one sentence with its code: %s', (_, argv, { status, code }) => {
    const ended = run(argv());
    expect(ended).toMatchObject({ status, stdout: '' });
    expect(sentenceOf(ended.stderr)).toBe(code);
  });

  it('is one sentence if ENTRAIN_LOG is not the name of a level', () => {
    const ended = run(analyzer(join(folder, 'runs')), { ENTRAIN_LOG: 'x' });
    expect(ended.stderr).toMatch(/ENTRAIN_LOG is "x": expected one of trace, debug/);
    expect(sentenceOf(ended.stderr)).toBe('CONFIG_INVALID');
  });

  it('is one sentence if too few files may be open', () => {
    const command = `ulimit -n 24; exec "${process.execPath}" "${PROGRAM}" "$@"`;
    const ended = runShell(command, start(join(folder, 'few')));
    expect(ended.status).toBe(1);
    expect(sentenceOf(ended.stderr)).toBe('MACHINE_EXHAUSTED');
  });

  it.skipIf(!runsSealed())('is one sentence if no inodes are left', () => {
    const mount = `mount -t tmpfs -o nr_inodes=1 none "${join(folder, 'keys')}"`;
    const command = `unshare --user --map-root-user --mount sh -ec '${mount}; exec "$@"' sh "${process.execPath}" "${PROGRAM}" "$@"`;
    const asRoot = command.replace('--user --map-root-user ', process.getuid?.() === 0 ? '' : '$&');
    const ended = runShell(asRoot, ['keys', join(folder, 'keys/a')]);
    expect(ended.stderr).toMatch(/inodes/);
    expect(sentenceOf(ended.stderr)).toBe('MACHINE_EXHAUSTED');
  });
});

describe('npm run secrets', () => {
  it.each([
    ['a flag that there is not', ['--nope'], 2],
    ['a file where secrets should go', ['file'], 1],
    ['a folder that cannot be made', ['/proc/entrain'], 1],
    ['a run that is no name', ['s', '--run', 'a b'], 2],
    ['a run that stands for something else', ['s', '--run', 'analyzer'], 2],
    ['an agent that is no name', ['s', '--agent', 'a.b'], 2],
    ['two folders', ['s', 't'], 1],
    ['a host that is none', ['s', 'analyzer=lab 1'], 1],
  ])('gives one sentence for %s, and writes nothing', (_, argv, status) => {
    const script = resolve('scripts/make-secrets.js');
    const ended = spawnSync(process.execPath, [script, ...argv], { cwd: folder, encoding: 'utf8' });
    expect(ended.stderr).toMatch(/^entrain: .+[.)]\n$/);
    expect(ended.status).toBe(status);
    expect(existsSync(join(folder, 's'))).toBe(false);
  });

  it('gives an error of the program with its code, for keys that an interrupted call left', async () => {
    await writeKeys(join(folder, 'half'));
    const script = resolve('scripts/make-secrets.js');
    const ended = spawnSync(process.execPath, [script, 'half'], { cwd: folder, encoding: 'utf8' });
    expect(sentenceOf(ended.stderr)).toBe('CONFIG_INVALID');
    expect(ended.status).toBe(1);
    expect(existsSync(join(folder, 'half/users.conf'))).toBe(false);
  });

  it('lists its flags, and does nothing else', () => {
    const script = resolve('scripts/make-secrets.js');
    const ended = spawnSync(process.execPath, [script, '--help'], { cwd: folder, encoding: 'utf8' });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).toContain('--agent NAME');
  });
});

describe('a word or flag that a command does not read', () => {
  it.each([
    ['pin a b', '"b" is too much: expected one RUN.'],
    ['unpin a b', '"b" is too much: expected one RUN.'],
    ['verify a b', '"b" is too much: expected one RUN.'],
    ['replay a b', '"b" is too much: expected one RUN.'],
    ['export a b', '"b" is too much: expected one RUN.'],
    ['evaluate a b', '"b" is too much: expected one RUN.'],
    ['logs a b', '"b" is too much: expected one RUN.'],
    ['results a b --out c', '"b" is too much: expected one RUN.'],
    ['study validate a b', '"b" is too much: expected one FILE.'],
    ['study plan a b', '"b" is too much: expected one FILE.'],
    ['import sotopia a b', '"b" is too much: expected one DIR.'],
    ['models inspect a b', '"b" is too much: expected one model folder.'],
    ['verify a --format csv', '"entrain verify" was given --format: "entrain help verify" lists its flags.'],
    ['verify a --last', '"entrain verify" was given --last: "entrain help verify" lists its flags.'],
    ['export a --json', '"entrain export" was given --json: "entrain help export" lists its flags.'],
    ['pin a --out b', '"entrain pin" was given --out: "entrain help pin" lists its flags.'],
    ['stop a --undo', '"entrain stop" was given --undo: "entrain help stop" lists its flags.'],
    [
      'study validate a --model b',
      '"entrain study validate" was given --model: "entrain help study" lists its flags.',
    ],
  ])('is refused: entrain %s', (line, sentence) => {
    const ended = run(line.split(' '));
    expect(ended.stderr).toBe(`entrain: ${sentence} (USAGE)\n`);
    expect(ended.status).toBe(2);
  });
});

describe('a reader that closes the pipe', () => {
  it('ends a command without an error message', async () => {
    const child = spawn(process.execPath, [PROGRAM, 'help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let said = '';
    child.stderr.on('data', (part: Buffer) => (said += part.toString()));
    await once(child, 'close');
    expect(said).toBe('');
  });

  it('is one sentence and a status where it goes to a disk without room', () => {
    const ended = runShell(`"${process.execPath}" "${PROGRAM}" help > /dev/full`, []);
    expect([ended.status, sentenceOf(ended.stderr)]).toEqual([1, 'MACHINE_EXHAUSTED']);
  });

  it('stops a running study in order', async () => {
    const child = spawn(process.execPath, [PROGRAM, ...start(join(folder, 'gone'))], {
      env: { ...process.env, ENTRAIN_NATS_SERVER: findNatsServer() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (part: Buffer) => (said += part.toString()));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    await once(child, 'close');
    expect(said).not.toMatch(/^ +at |EPIPE/m);
  }, 120_000);
});

const start = (runs: string): string[] => [
  'start',
  '--once',
  '--port',
  '0',
  '--study',
  study,
  '--run',
  'a',
  '--runs',
  runs,
];
const view = (runs: string): string[] => ['view', '--port', '0', '--runs', runs];
const analyzer = (runs: string): string[] => [
  'analyzer',
  '--no-nats',
  '--port',
  '0',
  '--public-key',
  publicKey,
  '--runs',
  runs,
];

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

function run(argv: string[], more: NodeJS.ProcessEnv = {}): Ended {
  const env = { ...process.env, ENTRAIN_NATS_SERVER: findNatsServer(), ...more };
  return spawnSync(process.execPath, [PROGRAM, ...argv], { encoding: 'utf8', env, timeout: 60_000 });
}

function runShell(command: string, argv: string[]): Ended {
  const env = { ...process.env, ENTRAIN_NATS_SERVER: findNatsServer() };
  return spawnSync('sh', ['-c', command, 'sh', ...argv], { encoding: 'utf8', env, timeout: 60_000 });
}

/** The code of the single sentence, or the whole output if it is something else. */
function sentenceOf(said: string): string {
  const lines = said.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  const [, code] = /^entrain: .+[.] \(([A-Z_]+)\)$/.exec(lines[0] ?? '') ?? [];
  return lines.length === 1 && code !== undefined ? code : said;
}
