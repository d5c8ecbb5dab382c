// Modules of bench/, compiled and loaded.
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { compileWithBench } from './compile.js';
import { ensurePackages } from './packages.js';
import { root } from './paths.js';
import { SetupError } from './setup-error.js';

/** Compiles the project and loads `bench/<name>.ts`. */
export async function loadCompiled(name) {
  await ensurePackages();
  await compileWithBench();
  return import(new URL(`../../dist/bench/${name}.js`, import.meta.url).href);
}

/** Names of the benchmarks whose name holds `part`, in order. */
export async function listBenchmarks(part) {
  const folder = `${root}bench`;
  const files = existsSync(folder) ? await readdir(folder) : [];
  const names = files
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => file.slice(0, -'.bench.ts'.length));
  const chosen = names.filter((name) => name.includes(part)).sort();
  if (chosen.length > 0) return chosen;
  throw new SetupError(
    `no benchmark is named like "${part}": expected one of ${names.sort().join(', ') || 'those in bench/'}.`,
  );
}
