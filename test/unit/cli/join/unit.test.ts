/** The unit that `entrain join --install` writes, and the flags of `entrain join`. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readJoinSettings } from '../../../../src/cli/join/join-settings.ts';
import { UNIT, unitText } from '../../../../src/cli/join/unit.ts';
import { findTool } from '../../../fixtures/programs/tools.ts';

it('is a unit that systemd takes, and no word of it is read as anything else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-unit-'));
  const text = unitText(['--model', 'ada=/models/a "b" 50% $HOME', '--data', folder], folder);
  expect(text).toContain(String.raw`"ada=/models/a \"b\" 50%% $$HOME"`);
  expect(text).not.toContain('entrain1.');
  const file = join(folder, UNIT);
  await writeFile(file, text.replaceAll(/"[^"]*entrain\.js"/g, '"/bin/true"'));
  const said = spawnSync(findTool('systemd-analyze'), ['verify', file], { encoding: 'utf8' });
  expect(said.stderr.split('\n').filter((line) => line.includes(UNIT))).toEqual([]);
  await writeFile(file, text.replace('Restart=always', 'Restart=often'));
  const wrong = spawnSync(findTool('systemd-analyze'), ['verify', file], { encoding: 'utf8' });
  expect(wrong.stderr).toContain('restart');
  await rm(folder, { recursive: true, force: true });
});

it('is one for an analyzer as well, whatever its folders are called', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-unit-'));
  const [data, runs] = [join(folder, '50% of "it"'), join(folder, 'my $HOME runs')] as const;
  for (const place of [data, runs]) await mkdir(place);
  const text = unitText(['--analyzer', '--runs', runs, '--data', data], data, runs);
  const file = join(folder, UNIT);
  await writeFile(file, text.replaceAll(/"[^"]*entrain\.js"/g, '"/bin/true"'));
  const said = spawnSync(findTool('systemd-analyze'), ['verify', file], { encoding: 'utf8' });
  expect(said.stderr.split('\n').filter((line) => line.includes(UNIT))).toEqual([]);
  const shown = text.split('\n').filter((line) => /^(WorkingDirectory|ReadWritePaths)=/.test(line));
  expect(shown).toEqual([
    `WorkingDirectory=${folder}/50%% of "it"`,
    String.raw`ReadWritePaths="${folder}/50%% of \"it\"" "${folder}/my $HOME runs"`,
  ]);
  await rm(folder, { recursive: true, force: true });
});

it('names agents after the machine, or as told', () => {
  const machine = hostname().split('.')[0] ?? '';
  const { models } = readJoinSettings(['--model', '/a', '--model', '/b', '--model', 'ada=/c']);
  expect([...models]).toEqual([
    [machine, '/a'],
    [`${machine}-2`, '/b'],
    ['ada', '/c'],
  ]);
  expect(() => readJoinSettings(['x'])).toThrow(/--model is missing/);
  expect(() => readJoinSettings(['--model', 'ada=/a', '--model', 'ada=/b'])).toThrow(/twice/);
});
