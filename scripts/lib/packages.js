// The npm packages: installed when they are absent or differ from package-lock.json, and then without running any
// package's install script (one of them would download CUDA libraries).
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { runCommand } from './command.js';
import { root } from './paths.js';
import { SetupError, say } from './setup-error.js';

const ARGS = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'];

export async function ensurePackages() {
  const wanted = await readPackages(`${root}package-lock.json`);
  if (wanted === undefined)
    throw new SetupError('package-lock.json is missing or not JSON; restore it from the repository.');
  const installed = await readPackages(`${root}node_modules/.package-lock.json`);
  if (installed !== undefined && isCurrent(wanted, installed)) return;
  say('installing the npm packages');
  const [command, ...first] = npmCommand();
  const { status } = await runCommand(command, [...first, ...ARGS], {
    env: { ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
  if (status === 0) return;
  throw new SetupError(
    `npm could not install the packages (exit status ${status}); check the network and npm's registry setting, then run the command again.`,
  );
}

/** npm writes node_modules/.package-lock.json last, so it says what is really there. */
export function isCurrent(wanted, installed) {
  const present = Object.entries(wanted).every(([path, { version, optional, peer }]) => {
    if (path === '') return true;
    const there = installed[path];
    // an optional package may be for another platform
    return there === undefined ? optional === true || peer === true : there.version === version;
  });
  return present && Object.keys(installed).every((path) => path in wanted);
}

async function readPackages(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** The npm that started this script, so that `npx npm@10 start` installs with npm 10; else the one on PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  const isNpm = running !== undefined && basename(running).startsWith('npm-cli');
  return isNpm ? [process.execPath, running] : ['npm'];
}
