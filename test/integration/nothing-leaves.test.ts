/**
 * Nothing leaves the machine: in a network namespace with a name server of its own, the real programs look up no
 * name, send nothing beyond loopback, and write nothing into the home folder. This covers every dependency; ONNX
 * Runtime from 1.29 on reports to its maker unless it is switched off.
 */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RUN, testModel, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { runsSealed, runSealed, type Watched } from '../fixtures/network/sealed-network.ts';
import { findNatsServer } from '../fixtures/programs/tools.ts';

let folder: string;
let home: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-sealed-'));
  home = join(folder, 'home');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(!runsSealed())('in a watched network namespace', () => {
  it('entrain start runs a study with agents and analyzer, and no packet or look-up leaves', async () => {
    const study = await writeSmallStudy(folder, { scenarios: 2, episodes: 2, maxTurns: 4, maxTokens: 8 });
    const flags = [
      '--study',
      study,
      '--run',
      RUN,
      '--runs',
      join(folder, 'runs'),
      '--port',
      '0',
      '--model',
      testModel,
    ];
    const watched = await run(['bin/entrain.js', 'start', '--once', ...flags]);
    expect(watched).toMatchObject({ status: 0, lookups: [], packets: 0 });
    expect(await filesIn(home)).toEqual(['tmp']);
  }, 300_000);

  it.each([
    ['looks a name up', "require('node:dns').lookup('nobody.example', () => {});", ['nobody.example']],
    [
      'sends to another machine',
      "require('node:net').connect(80, '198.51.100.9'); setTimeout(process.exit, 500);",
      [],
    ],
    ['finds no route', "require('node:net').connect(80, '2001:db8::1').on('error', () => {});", []],
  ])('the watcher detects a program that %s', async (_, code, names) => {
    const watched = await run(['-e', code]);
    expect([...new Set(watched.lookups)]).toEqual(names);
    expect(watched.lookups.length + watched.packets).toBeGreaterThan(0);
  });

  it('the watcher detects the reports of ONNX Runtime when they are not switched off', async () => {
    const model = join(testModel, 'onnx/model.onnx');
    const code = `require('onnxruntime-node').InferenceSession.create(${JSON.stringify(model)}).then(() => setTimeout(process.exit, 3000))`;
    await run(['-e', code]);
    expect(await filesIn(home)).toContainEqual(expect.stringContaining('Microsoft'));
  });
});

async function run(argv: string[]): Promise<Watched> {
  await rm(home, { recursive: true, force: true });
  const temporary = join(home, 'tmp');
  await mkdir(temporary, { recursive: true });
  const { PATH } = process.env;
  // An environment that asks for the reports.
  const asked = { ORT_DISABLE_TELEMETRY: '0' };
  return runSealed(argv, {
    PATH,
    HOME: home,
    TMPDIR: temporary,
    ENTRAIN_NATS_SERVER: findNatsServer(),
    ...asked,
  });
}

const filesIn = (place: string): Promise<string[]> => readdir(place, { recursive: true });
