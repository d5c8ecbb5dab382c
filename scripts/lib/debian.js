// Packages of Debian and Ubuntu, installed as root, without leaving a service of theirs enabled or running.
import { existsSync } from 'node:fs';
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { findPrograms, runCommand } from './command.js';
import { say } from './setup-error.js';

const POLICY = '/usr/sbin/policy-rc.d';
const SAVED_POLICY = `${POLICY}.before-entrain`;
const NO_SERVICES = '#!/bin/sh\n# no service may be started while entrain installs packages\nexit 101\n';
const APT = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120'];

/** Whether apt-get can be used here: root on Debian, Ubuntu or a child of theirs. */
export async function canUseApt() {
  if (process.getuid?.() !== 0) return false;
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(release) && (await findPrograms('apt-get')).length > 0;
}

/** Installs packages; false when apt-get could not. */
export async function installPackages(packages) {
  say(`installing ${packages.join(', ')} with apt-get`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const update = await runCommand('apt-get', ['update', ...APT], { quiet: true, env });
  if (update.status !== 0) return report('apt-get update', update);
  const install = await withoutServices(() =>
    runCommand('apt-get', ['install', ...APT, '--no-install-recommends', ...packages], { quiet: true, env }),
  );
  if (install.status !== 0) return report('apt-get install', install);
  for (const name of packages) await disableService(name);
  return true;
}

function report(command, { status, output }) {
  const lastLines = output.trim().split('\n').slice(-3).join('\n  ');
  say(`${command} ended with status ${status}:\n  ${lastLines}`);
  return false;
}

/** Debian asks policy-rc.d before a package may start its service: for the time of `work` the answer is no. */
async function withoutServices(work) {
  const hadPolicy = existsSync(POLICY);
  if (hadPolicy) await rename(POLICY, SAVED_POLICY);
  const restore = async () => {
    await rm(POLICY, { force: true });
    if (hadPolicy) await rename(SAVED_POLICY, POLICY);
  };
  const interrupted = () => void restore().then(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    await writeFile(POLICY, NO_SERVICES);
    await chmod(POLICY, 0o755);
    return await work();
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await restore();
  }
}

/** A freshly installed service is also enabled for the next boot: undo that, with or without a running systemd. */
async function disableService(name) {
  const unit = `${name}.service`;
  const units = ['/lib/systemd/system/', '/usr/lib/systemd/system/'];
  if (units.some((folder) => existsSync(folder + unit))) {
    if (existsSync('/run/systemd/system')) await quietly('systemctl', ['disable', '--now', unit]);
    else await quietly('deb-systemd-helper', ['disable', unit], { DPKG_MAINTSCRIPT_PACKAGE: name });
  }
  if (existsSync(`/etc/init.d/${name}`)) await quietly('update-rc.d', [name, 'disable']);
}

async function quietly(command, args, env = {}) {
  const { status } = await runCommand(command, args, { quiet: true, env }).catch(() => ({ status: 127 }));
  if (status !== 0) say(`${command} ${args.join(' ')} did not work (status ${status})`);
}
