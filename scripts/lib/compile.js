// Compiles into dist; incremental, so that nothing is done again that stands. What no source stands for any more is
// removed.
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { runCommand } from './command.js';
import { root } from './paths.js';
import { SetupError } from './setup-error.js';

/** The product alone: src, with declarations. */
export const compile = () => compileProject('tsconfig.build.json');

/** The product, the benchmarks, the dashboard, and the fixtures that run as programs. */
export const compileWithBench = () => compileProject('tsconfig.bench.json');

async function compileProject(project) {
  const tsc = `${root}node_modules/typescript/bin/tsc`;
  const { status } = await runCommand(process.execPath, [tsc, '-p', project]);
  if (status !== 0)
    throw new SetupError('the sources do not compile; the lines above say where, mend them and run again.');
  await removeStale();
}

async function removeStale() {
  for (const path of await readdir(`${root}dist/src`, { recursive: true })) {
    const source = path.replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts');
    if (source !== path && !existsSync(`${root}src/${source}`)) await rm(`${root}dist/src/${path}`);
  }
}
