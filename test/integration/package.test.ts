/**
 * The package as a user installs it: packed from a copy of the project, installed into an empty folder by npm (from
 * its cache if possible, else from the network), run, type-checked and imported.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RUN, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { findNatsServer, findTool } from '../fixtures/programs/tools.ts';

const run = promisify(execFile);
const SOURCES = [
  'package.json',
  'LICENSE',
  'README.md',
  'tsconfig.json',
  'tsconfig.build.json',
  'vite.config.ts',
  'bin',
  'docs',
  'models',
  'scripts',
  'src',
  'studies',
];

let folder: string;
/** An empty project that the package is installed into. */
let app: string;
let packed: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-package-'));
  const clone = join(folder, 'clone');
  await mkdir(clone);
  for (const part of SOURCES) await cp(part, join(clone, part), { recursive: true });
  await symlink(resolve('node_modules'), join(clone, 'node_modules'));
  const { stdout } = await npm(clone, ['pack', '--json', '--pack-destination', folder]);
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ];
  packed = files.map(({ path }) => path);
  app = join(folder, 'app');
  await mkdir(app);
  await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'app', type: 'module', private: true }));
  const types = JSON.parse(await readFile('package.json', 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const wanted = [join(folder, filename), `@types/node@${types.devDependencies['@types/node']}`];
  await npm(app, ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', ...wanted]);
}, 600_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the npm package', () => {
  it('holds the programs, one model, the studies and the page of errors, and no source, bench, test or fixture', () => {
    for (const path of [
      'bin/entrain.js',
      'dist/src/index.d.ts',
      'docs/errors.md',
      'studies/demo.json',
      'dist/viewer/index.html',
    ])
      expect(packed).toContain(path);
    expect(packed).toContain('models/entrain-dialogue-8m/onnx/model.onnx');
    const others = packed.filter(
      (path) => !/^(bin|dist\/(?:src|viewer)|docs|models\/entrain-dialogue-8m|studies)\//.test(path),
    );
    expect(others.toSorted()).toEqual(['LICENSE', 'README.md', 'package.json']);
    expect(packed.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([]);
  });

  it('runs a study to its end with `npx entrain start --once`', async () => {
    const study = await writeSmallStudy(folder, { scenarios: 1, episodes: 2, maxTurns: 4, maxTokens: 6 });
    const flags = ['--study', study, '--run', RUN, '--port', '0', '--once'];
    const { stdout } = await npm(app, ['exec', '--offline', '--', 'entrain', 'start', ...flags]);
    expect(stdout).toContain('run folder');
    const runFolder = await readdir(join(app, 'runs', RUN));
    expect(runFolder).toEqual(
      expect.arrayContaining(['run.json', 'transcript.jsonl', 'streams', 'finished.json']),
    );
  }, 300_000);

  it('explains an error from its own copy of the page', async () => {
    const { stdout } = await npm(app, ['exec', '--offline', '--', 'entrain', 'help', 'STUDY_INVALID']);
    expect(stdout).toContain('What to do:');
  });

  it('type-checks and runs a program of 30 lines that computes SyncR² over two arrays', async () => {
    const program = await compileExample('sync-r2-of-two-arrays');
    const { stdout } = await run(process.execPath, [program], { cwd: app });
    expect(stdout).toMatch(/^SyncR² 0\.[2-7]\d\d\n$/);
  }, 120_000);

  it('type-checks and runs a program of 20 lines that receives what the Python sender streams', async () => {
    const program = await compileExample('receive-frames');
    const receiver = spawn(process.execPath, [program], { cwd: app, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
    const [url = '', token = ''] = String((await lines.next()).value).split(' ');
    const env = { ...process.env, ENTRAIN_STREAM_TOKEN: token };
    await run(findTool('python3'), ['examples/send.py', url, 'own', 'ada'], { env });
    expect((await lines.next()).value).toBe('ada: episode');
    expect((await lines.next()).value).toMatch(/^ada: turn 0, 2 layers, first value -?\d/);
    receiver.kill('SIGTERM');
    expect(await once(receiver, 'exit')).toEqual([0, null]);
    expect(await readdir(join(app, 'runs/own/streams'))).toEqual(['ada']);
  }, 120_000);

  it('has working entries for the library, the journal and the protocol, and telemetry off', async () => {
    const code = `
      const [journal, protocol] = [await import('entrain/journal'), await import('entrain/protocol')];
      console.log(typeof journal.openRecording, typeof protocol.encodeMessage, process.env.ORT_DISABLE_TELEMETRY);
      await import('entrain');
      console.log(process.env.ORT_DISABLE_TELEMETRY);`;
    const env = { ...process.env, ORT_DISABLE_TELEMETRY: '0' };
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: app, env });
    expect(stdout).toBe('function function 0\n1\n');
  });
});

/** The compiled example in the app, checked with the strictest settings, including the package's declarations. */
async function compileExample(name: string): Promise<string> {
  await cp(`examples/${name}.ts`, join(app, `${name}.ts`));
  const flags = [
    '--strict',
    '--target',
    'es2023',
    '--module',
    'nodenext',
    '--types',
    'node',
    '--skipLibCheck',
    'false',
  ];
  const tsc = [resolve('node_modules/typescript/bin/tsc'), ...flags, `${name}.ts`];
  await run(process.execPath, tsc, { cwd: app }).catch((error: unknown) => {
    throw new Error(`the example does not type-check: ${(error as { stdout: string }).stdout}`);
  });
  return `${name}.js`;
}

/** As a user of the package would, without the environment variables of the npm that runs these tests. */
function npm(cwd: string, args: string[]): Promise<{ stdout: string }> {
  const own = Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_'));
  const env = { ...Object.fromEntries(own), ENTRAIN_NATS_SERVER: findNatsServer() };
  return run('npm', args, { cwd, env, maxBuffer: 2 ** 26 });
}
