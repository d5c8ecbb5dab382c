/**
 * compose.yaml without containers: its commands, users and secrets, run as processes on this machine. Only what
 * containers provide is replaced: host names become loopback, paths inside become folders of the test.
 */
import { spawn, execFileSync, spawnSync, type ChildProcess } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { testModel, until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { freePort } from '../fixtures/programs/free-port.ts';
import { findNatsServer, findTool } from '../fixtures/programs/tools.ts';

interface Service {
  image: string;
  command: string[];
  environment: Record<string, string>;
}

const PROGRAMS = ['analyzer', 'viewer', 'agent-ada', 'agent-ben', 'coordinator'];
const RUN = 'demo';

let folder: string;
const ports = new Map<string, number>();
const children: { name: string; child: ChildProcess; output(): string }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-compose-'));
  execFileSync(process.execPath, ['scripts/make-secrets.js', join(folder, 'secrets')], { stdio: 'pipe' });
  // A container engine mounts secrets where their mode does not matter; here the programs require 0600.
  const secrets = join(folder, 'secrets');
  for (const name of await readdir(secrets)) await chmod(join(secrets, name), 0o600);
  await writeSmallStudy(folder, { scenarios: 2, episodes: 1, maxTurns: 4, maxTokens: 6 });
  for (const name of ['nats', ...PROGRAMS]) ports.set(name, await freePort());
  await startNats();
  const { services } = parse(await readFile('deploy/compose.yaml', 'utf8'), { merge: true }) as {
    services: Record<string, Service>;
  };
  for (const name of PROGRAMS) await startProgram(name, services[name]!);
});

afterAll(async () => {
  for (const { child } of children.toReversed()) {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once('close', resolve));
    }
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

describe('the services of compose.yaml', () => {
  // The coordinator first, since it ends with its study.
  it.each(PROGRAMS.toReversed())(
    'include %s, which is healthy and whose metrics promtool accepts',
    async (name) => {
      await until(`${name} to be well`, () => isWell(name));
      const token = (await readFile(join(folder, 'secrets', 'http.token'), 'utf8')).trim();
      const headers = { authorization: `Bearer ${token}` };
      const metrics = await (await fetch(`http://127.0.0.1:${ports.get(name)}/metrics`, { headers })).text();
      expect(metrics).toContain('entrain_build_info');
      expect(
        execFileSync(findTool('promtool'), ['check', 'metrics'], { input: metrics, encoding: 'utf8' }),
      ).toBe('');
    },
  );

  it('run a study to its end; the coordinator then ends and says how the study ended', async () => {
    const { child, output } = children.find(({ name }) => name === 'coordinator')!;
    await until('the coordinator to end', () => child.exitCode !== null || undefined, 120_000);
    expect(child.exitCode, output()).toBe(0);
    expect(output()).toMatch(/"episodes":4,"turns":16,"msg":"run finished"/);
    await stat(join(folder, 'recordings', 'runs', RUN, 'finished.json'));
  }, 150_000);

  it('give NATS users access to the next run, and withdraw it from the finished one', async () => {
    const secrets = join(folder, 'secrets');
    const before = await readFile(join(secrets, 'users.conf'), 'utf8');
    execFileSync(process.execPath, ['scripts/make-secrets.js', secrets, '--run', 'demo-2'], {
      stdio: 'pipe',
    });
    const after = await readFile(join(secrets, 'users.conf'), 'utf8');
    expect(before).toContain(`"entrain.v2.${RUN}.`);
    expect(after).not.toContain(`"entrain.v2.${RUN}.`);
    expect(after.replaceAll('demo-2', RUN)).toBe(before);
  });

  it('are reported unhealthy by the health check when they do not answer', async () => {
    const port = await freePort();
    expect(() => execFileSync(process.execPath, ['deploy/healthcheck.js', String(port)])).toThrow();
  });

  it('include a Prometheus configuration that promtool accepts', async () => {
    const config = join(folder, 'prometheus.yml');
    const text = await readFile('deploy/prometheus.yml', 'utf8');
    for (const rules of ['alerts.yml', 'rules.yml']) await copyFile(`deploy/${rules}`, join(folder, rules));
    await writeFile(config, text.replace('/run/secrets/http-token', join(folder, 'secrets', 'http.token')));
    const said = execFileSync(findTool('promtool'), ['check', 'config', config], { encoding: 'utf8' });
    expect(said).toContain('SUCCESS');
  });
});

function isWell(name: string): boolean {
  const { status } = spawnSync(process.execPath, ['deploy/healthcheck.js', String(ports.get(name))]);
  return status === 0;
}

/** deploy/nats.conf with the users of `npm run secrets`, listening on loopback. */
async function startNats(): Promise<void> {
  const config = (await readFile('deploy/nats.conf', 'utf8'))
    .replace('"0.0.0.0"', '"127.0.0.1"')
    .replace('4222', String(ports.get('nats')))
    .replace('127.0.0.1:8222', `127.0.0.1:${await freePort()}`)
    .replace('"/data"', JSON.stringify(join(folder, 'nats')));
  await writeFile(join(folder, 'nats.conf'), config);
  await copyFile(join(folder, 'secrets', 'users.conf'), join(folder, 'users.conf'));
  const server = start('nats', [findNatsServer(), '--config', join(folder, 'nats.conf')], {});
  await until('nats-server ready', () => server.output().includes('Server is ready') || undefined);
}

async function startProgram(name: string, { command, environment }: Service): Promise<void> {
  const data = join(folder, name.startsWith('agent') ? name : 'recordings');
  await mkdir(data, { recursive: true });
  const here = (text: string): string =>
    inPlace(text, data)
      .replace(/^9464$/, String(ports.get(name)))
      .replace('nats://nats:4222', `nats://127.0.0.1:${ports.get('nats')}`);
  // The first word is the program's own name, a later one the host it listens on.
  const argv = command.map((word, index) => (index > 0 && word === name ? '127.0.0.1' : here(word)));
  const env = Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, here(value)]));
  start(name, [process.execPath, 'bin/entrain.js', ...argv], env);
}

/** Paths and variables as they are inside a container, mapped to this machine. */
function inPlace(text: string, data: string): string {
  return text
    .replace(/^\/run\/secrets\/(.+)-password$/, `${folder}/secrets/$1.password`)
    .replace(/^\/run\/secrets\/(stream-\w+)$/, `${folder}/secrets/$1.pem`)
    .replace(/^\/run\/secrets\/http-token$/, `${folder}/secrets/http.token`)
    .replace(/^\/var\/lib\/entrain/, data)
    .replace(/^\/etc\/entrain\/study\.json$/, `${folder}/study.json`)
    .replace(/^\/app\/models\/.+$/, testModel)
    .replace('${ENTRAIN_RUN:-demo}', RUN);
}

function start(
  name: string,
  [program = '', ...argv]: string[],
  env: Record<string, string>,
): { output(): string } {
  const child = spawn(program, argv, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part.toString()));
  child.stderr.on('data', (part: Buffer) => (text += part.toString()));
  const started = { name, child, output: () => text };
  children.push(started);
  return started;
}
