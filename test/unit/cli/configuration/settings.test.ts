/** Which of command line, environment and configuration file sets a flag, and what they may not say. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  asArguments,
  notOn,
  readOuterSettings,
  withSource,
} from '../../../../src/cli/configuration/settings.ts';
import { PROGRAMS } from '../../../../src/cli/configuration/config-file.ts';
import { commandOf, loadProgram } from '../../../../src/cli/commands.ts';
import { EntrainError } from '../../../../src/protocol/errors.ts';

const FLAGS = {
  'at-once': { type: 'string', about: 'a number' },
  model: { type: 'string', multiple: true, about: 'folders' },
  once: { type: 'boolean', default: false, about: 'a switch' },
} as const;

const folder = mkdtempSync(join(tmpdir(), 'entrain-config-'));
const file = join(folder, 'entrain.yaml');
const write = (text: string | Buffer): void => writeFileSync(file, text);
beforeEach(() => vi.stubEnv('ENTRAIN_CONFIG', file));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const argumentsFor = async (argv: string[]): Promise<string[]> => [
  ...asArguments(notOn(argv, await readOuterSettings('agent', FLAGS))),
  ...argv,
];

describe('a flag', () => {
  it('is taken from the command line, then the environment, then the file', async () => {
    write('agent:\n  at-once: 2\n');
    expect(await argumentsFor([])).toEqual(['--at-once=2']);
    vi.stubEnv('ENTRAIN_AT_ONCE', '3');
    expect(await argumentsFor([])).toEqual(['--at-once=3']);
    expect(await argumentsFor(['--at-once', '4'])).toEqual(['--at-once', '4']);
    expect(await argumentsFor(['--at-once=5'])).toEqual(['--at-once=5']);
  });

  it('may be a switch, and off', async () => {
    write('agent:\n  once: true\n');
    expect(await argumentsFor([])).toEqual(['--once']);
    vi.stubEnv('ENTRAIN_ONCE', 'false');
    expect(await argumentsFor([])).toEqual([]);
  });

  it('may have several values, which replace one another and are never joined', async () => {
    write('agent:\n  model: [one, two]\n');
    expect(await argumentsFor([])).toEqual(['--model=one', '--model=two']);
    vi.stubEnv('ENTRAIN_MODEL', 'ada=three,ben=four');
    expect(await argumentsFor([])).toEqual(['--model=ada=three', '--model=ben=four']);
    expect(await argumentsFor(['--model', 'five'])).toEqual(['--model', 'five']);
  });

  it('is ignored for another program, and in a program that a supervisor has started', async () => {
    write('analyzer:\n  port: 1\n');
    expect(await argumentsFor([])).toEqual([]);
    write('agent:\n  at-once: 2\n');
    vi.stubEnv('ENTRAIN_SUPERVISED', '1');
    expect(await argumentsFor([])).toEqual([]);
  });
});

describe('a configuration file', () => {
  it.each([
    ['agents:\n  at-once: 2\n', 'has "agents": expected a section such as "agent".'],
    ['agent:\n  at-onec: 2\n', 'sets "at-onec" for agent: expected a flag such as "at-once".'],
    ['agent: 3\n', 'has a section "agent" that is no mapping: expected flags and their values.'],
    ['- agent\n', 'is no mapping: expected sections named start, coordinator, analyzer, agent, view.'],
    ['agent:\n  at-once: {a: 1}\n', `"at-once" of agent in ${file} is no text, number or truth value.`],
    ['agent:\n  at-once: [1, 2]\n', `"at-once" of agent in ${file} is no text, number or truth value.`],
    ['agent:\n  once: perhaps\n', `--once (from agent in ${file}) is "perhaps": expected true or false.`],
    ['agent:\n  once: [\n', 'is not YAML at line 3, column 1'],
    ['agent:\n  once: true\n  once: false\n', 'is not YAML at line 3, column 3'],
    [Buffer.from([0x61, 0xe9]), 'is not UTF-8 at line 1, column 2'],
  ])('is refused with the place: %j', async (text, said) => {
    write(text);
    const refusal = readOuterSettings('agent', FLAGS);
    await expect(refusal).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(refusal).rejects.toThrow(said);
  });

  it('may be empty, and hold empty sections; named, it has to be there', async () => {
    for (const text of ['', 'agent:\n', '# nothing\n']) {
      write(text);
      expect(await argumentsFor([])).toEqual([]);
    }
    vi.stubEnv('ENTRAIN_CONFIG', join(folder, 'other.yaml'));
    await expect(argumentsFor([])).rejects.toThrow('cannot be read: expected a YAML file');
  });
});

it('a value that is refused is named with its source', async () => {
  write('');
  vi.stubEnv('ENTRAIN_AT_ONCE', 'x');
  const settings = await readOuterSettings('agent', FLAGS);
  const refused = new EntrainError('USAGE', '--at-once is "x": expected a number.');
  expect(withSource(refused, settings)).toMatchObject({
    code: 'USAGE',
    message: '--at-once (from ENTRAIN_AT_ONCE) is "x": expected a number.',
  });
  const other = new EntrainError('USAGE', '--once is wrong.');
  expect(withSource(other, settings)).toBe(other);
});

it.each(PROGRAMS)('%s takes its own flags from there', async (program) => {
  const { flags = {} } = await loadProgram(commandOf(program));
  expect(Object.keys(flags)).toContain('host');
});
