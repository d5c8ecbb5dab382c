// A copy of the compiled program in which one mechanism is switched off.
import { cp, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './paths.js';
import { SetupError } from './setup-error.js';

/** @returns the folder of the copy: run in it, and nothing of the real program is used */
export async function copySwitchedOff({ changes }) {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-off-'));
  for (const part of ['dist', 'bin', 'package.json'])
    await cp(join(root, part), join(folder, part), { recursive: true });
  for (const part of ['models', 'studies', 'node_modules'])
    await symlink(join(root, part), join(folder, part));
  for (const { file, from, to } of changes) await change(join(folder, 'dist/src', `${file}.js`), from, to);
  return folder;
}

async function change(file, from, to) {
  const text = await readFile(file, 'utf8');
  if (text.split(from).length !== 2)
    throw new SetupError(
      `${file} does not hold this once: ${from}; mend test/fixtures/chaos/switch-offs.ts.`,
    );
  await writeFile(
    file,
    text.replace(from, () => to),
  );
}
