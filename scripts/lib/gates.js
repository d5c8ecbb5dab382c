// Everything that must hold beside the tests: types, lint, format, dead code.
import { runCommand } from './command.js';
import { root } from './paths.js';
import { say } from './setup-error.js';

const bin = (path) => `${root}node_modules/${path}`;

const GATES = [
  { name: 'type check', args: [bin('typescript/bin/tsc'), '--noEmit'] },
  { name: 'type check of the page', args: [bin('typescript/bin/tsc'), '-p', 'tsconfig.page.json'] },
  { name: 'lint', args: [bin('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'format', args: [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'] },
  { name: 'dead code', args: [bin('knip/bin/knip.js')] },
];

/** Runs every gate, also after one has failed; the names of those that failed. */
export async function runGates() {
  const failed = [];
  for (const { name, args } of GATES) {
    const { status, output } = await runCommand(process.execPath, args, { quiet: true });
    say(`${name}: ${status === 0 ? 'holds' : 'FAILS'}`);
    if (status === 0) continue;
    failed.push(name);
    console.error(output);
  }
  return failed;
}
