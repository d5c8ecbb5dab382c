// Starting other programs: one way to run them, one way to find them.
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { root } from './paths.js';

/** Where servers stand that a user's PATH often leaves out. */
const EXTRA_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/**
 * Runs a program to its end: `{ status, output }`. Its output goes to the terminal, or with `quiet` into `output`.
 * A program that a signal ended has status 128.
 */
export function runCommand(command, args, { quiet = false, env = {}, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ status: code ?? 128, output }));
  });
}

/** Every executable of that name on PATH and in the usual folders of servers, in order. */
export async function findPrograms(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...EXTRA_FOLDERS].filter((f) => f !== '');
  const found = [];
  for (const path of new Set(folders.map((folder) => join(folder, name)))) {
    if (await isExecutable(path)) found.push(path);
  }
  return found;
}

export async function isExecutable(path) {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
