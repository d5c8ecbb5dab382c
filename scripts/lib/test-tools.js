// What the tests need beyond the programs: real tools of Debian. Where they cannot be installed the tests that need
// them fail and say so; nothing is skipped.
import { findPrograms, runCommand } from './command.js';
import { canUseApt, installPackages } from './debian.js';
import { say } from './setup-error.js';

const TOOLS = [
  { packages: ['prometheus'], isThere: () => hasPrograms('prometheus', 'promtool') },
  { packages: ['systemd'], isThere: () => hasPrograms('systemd-analyze') },
  { packages: ['chromium-headless-shell'], isThere: hasBrowser },
  { packages: ['python3', 'python3-msgpack'], isThere: () => hasPythonModule('msgpack') },
  { packages: ['python3', 'python3-numpy'], isThere: () => hasPythonModule('numpy') },
];

export async function ensureTestTools() {
  const missing = [];
  for (const { packages, isThere } of TOOLS) if (!(await isThere())) missing.push(...packages);
  if (missing.length === 0) return;
  if ((await canUseApt()) && (await installPackages(missing))) return;
  say(`not installed here: ${missing.join(', ')}; the tests that need them will fail until you install them`);
}

async function hasBrowser() {
  return (await hasPrograms('chromium')) || (await hasPrograms('chromium-headless-shell'));
}

async function hasPrograms(...names) {
  const found = await Promise.all(names.map(findPrograms));
  return found.every((paths) => paths.length > 0);
}

/** Debian's python3 by its full path: another one earlier on PATH does not see Debian's modules. */
async function hasPythonModule(name) {
  for (const python of ['/usr/bin/python3', 'python3']) {
    const { status } = await runCommand(python, ['-c', `import ${name}`], { quiet: true }).catch(() => ({
      status: 127,
    }));
    if (status === 0) return true;
  }
  return false;
}
