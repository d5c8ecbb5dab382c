/** Worker threads and programs always run as compiled, so the whole project is compiled once before the tests. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export default function setup(): () => void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  // Type errors are the type gate's business; what is emitted is what the tests are about.
  spawnSync(process.execPath, [tsc, '-p', 'tsconfig.bench.json'], { cwd: root, stdio: 'inherit' });
  const page = fileURLToPath(new URL('../scripts/build-page.js', import.meta.url));
  spawnSync(process.execPath, [page], { cwd: root, stdio: 'inherit' });
  // Temporary folders of the tests lie in one that goes when the last test has ended.
  const folder = mkdtempSync(join(tmpdir(), 'entrain-tests-'));
  process.env['ENTRAIN_TEST_TMP'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
