/** Compiles the whole project once before the tests, since worker threads and programs always run compiled. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export default function setup(): () => void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  // Type errors are the business of the type gate; what is compiled is what the tests run.
  spawnSync(process.execPath, [tsc, '-p', 'tsconfig.bench.json'], { cwd: root, stdio: 'inherit' });
  const page = fileURLToPath(new URL('../scripts/build-page.js', import.meta.url));
  spawnSync(process.execPath, [page], { cwd: root, stdio: 'inherit' });
  // Temporary folders of the tests are inside one folder that is removed after the last test.
  const folder = mkdtempSync(join(tmpdir(), 'entrain-tests-'));
  process.env['ENTRAIN_TEST_TMP'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
