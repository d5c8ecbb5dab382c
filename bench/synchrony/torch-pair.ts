/** The published algorithm in PyTorch, if a Python with PyTorch is installed. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
// Compiled, this file lies in dist/bench/synchrony.
const SCRIPT = fileURLToPath(new URL('../../../bench/published-pair.py', import.meta.url));
const PYTHONS = ['python3', '/usr/bin/python3'];

export async function pythonWithTorch(): Promise<string | undefined> {
  for (const python of PYTHONS) {
    const found = await run(python, ['-c', 'import numpy, torch']).catch(() => undefined);
    if (found) return python;
  }
  return undefined;
}

export interface TorchPair {
  /** Milliseconds of one pair of layers in one split. */
  pairMs(): Promise<number>;
  close(): void;
}

/** One process for all timings, since after a fork each write to a page of this process costs a page fault. */
export function openTorchPair(python: string, threads: number): TorchPair {
  const child = spawn(python, [SCRIPT, '--threads', String(threads)], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout });
  return {
    pairMs: async () => {
      child.stdin.write('\n');
      const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as [unknown];
      // A number is an exit status: the process ended, and its standard error says why.
      return typeof line === 'string' ? Number(line) : NaN;
    },
    close: () => child.stdin.end(),
  };
}
