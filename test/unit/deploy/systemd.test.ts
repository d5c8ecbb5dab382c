/** The systemd units by systemd's own judgement, and each command line by the program's own flags. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeSecrets } from '../../../scripts/lib/secrets.js';
import { commandOf, loadProgram } from '../../../src/cli/commands.ts';
import { writeKeys } from '../../../src/cli/keys.ts';
import { writeAtomic } from '../../../src/process/write-atomic.ts';
import { findTool } from '../../fixtures/programs/tools.ts';

const FOLDER = 'deploy/systemd';
/** systemd's own scale, from 0 (locked) to 10 (everything open), times ten. */
const MOST_EXPOSED = '25';
const units = readdirSync(FOLDER);
const textOf = (unit: string): string => readFileSync(join(FOLDER, unit), 'utf8');

const folder = mkdtempSync(join(tmpdir(), 'entrain-units-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The unit with this machine's node and program, so that systemd finds them. */
function installed(unit: string): string {
  const path = join(folder, unit);
  writeFileSync(path, textOf(unit).replace('/usr/bin/node', process.execPath));
  return path;
}

function systemdAnalyze(...argv: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(findTool('systemd-analyze'), argv, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

describe.each(units)('%s', (unit) => {
  it('is taken by systemd without a word', () => {
    expect(systemdAnalyze('verify', installed(unit))).toEqual({ status: 0, said: '' });
  });

  it('opens little of the machine to its program', () => {
    const argv = ['security', '--offline=true', `--threshold=${MOST_EXPOSED}`, installed(unit)];
    const { status, said } = systemdAnalyze(...argv);
    expect(status, said).toBe(0);
  });

  it('has flags that its program knows, and no secret among them', async () => {
    const [, command = ''] = /^ExecStart=(.+)$/m.exec(textOf(unit)) ?? [];
    const [, program = ''] = /entrain\.js (\w+)/.exec(command) ?? [];
    const { flags = {} } = await loadProgram(commandOf(program));
    const used = [...command.matchAll(/ --([a-z-]+)/g)].map(([, flag]) => flag);
    expect(used.length).toBeGreaterThan(1);
    expect(Object.keys(flags)).toEqual(expect.arrayContaining(used));
    expect(textOf(unit)).toContain('LoadCredential=nats-password:');
    expect(textOf(unit)).not.toMatch(/NATS_PASSWORD=/);
  });
});

it('a unit reads its password under the name that npm run secrets gives it', async () => {
  const to = { agents: ['%i'], runs: ['one'], compose: false };
  await writeSecrets(join(folder, 'fleet'), to, { natsAuthorization: () => '', writeKeys, writeAtomic });
  const written = readdirSync(join(folder, 'fleet'));
  const read = units.map(
    (unit) => /^LoadCredential=nats-password:\/etc\/entrain\/(.+)$/m.exec(textOf(unit))?.[1],
  );
  expect(written).toEqual(expect.arrayContaining(read));
});

it('a unit with a user of its own at each start shares its folder with no other unit', () => {
  const stateOf = (unit: string): string => /^StateDirectory=(.+)$/m.exec(textOf(unit))?.[1] ?? '';
  const dynamic = units.filter((unit) => textOf(unit).includes('DynamicUser=yes'));
  expect(dynamic).toEqual(['entrain-agent@.service']);
  for (const unit of dynamic) {
    expect(stateOf(unit)).toContain('%i');
    // Every path that it writes to lies in that folder.
    expect(textOf(unit).replaceAll(`/var/lib/${stateOf(unit)}`, '')).not.toContain('/var/lib/');
  }
});

it('a unit that systemd would not take, or that opens more, is seen', () => {
  const broken = join(folder, 'entrain-broken.service');
  writeFileSync(broken, `[Service]\nExecStart=${process.execPath}\nProtectSystm=strict\nRestart=maybe\n`);
  expect(systemdAnalyze('verify', broken).said).toContain('ProtectSystm');
  expect(systemdAnalyze('security', '--offline=true', `--threshold=${MOST_EXPOSED}`, broken).status).not.toBe(
    0,
  );
});
