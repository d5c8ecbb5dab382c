// Compiles src into dist; incremental, so that nothing is done again that stands.
import { runCommand } from './command.js';
import { root } from './paths.js';
import { SetupError } from './setup-error.js';

export async function compile() {
  const tsc = `${root}node_modules/typescript/bin/tsc`;
  const { status } = await runCommand(process.execPath, [tsc, '-p', 'tsconfig.build.json']);
  if (status !== 0)
    throw new SetupError('the sources do not compile; the lines above say where, mend them and run again.');
}
