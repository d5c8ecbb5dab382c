// Builds the viewer's page into dist/viewer, each text file beside its brotli; nothing is done again that stands.
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { brotliCompressSync } from 'node:zlib';
import { root } from './paths.js';
import { SetupError } from './setup-error.js';

const SOURCE = `${root}src/viewer/page/`;
const BUILT = `${root}dist/viewer/`;
const STAMP = `${BUILT}.source`;

export async function buildPage() {
  const digest = await sourceDigest();
  if ((await readFile(STAMP, 'utf8').catch(() => '')) === digest) return;
  try {
    const { build } = await import('vite');
    await build({ configFile: `${root}vite.config.ts`, logLevel: 'warn' });
  } catch (error) {
    throw new SetupError(`the viewer's page cannot be built: ${String(error)}`);
  }
  for (const name of await readdir(BUILT, { recursive: true })) {
    if (!/\.(html|js|css|svg)$/.test(name)) continue;
    await writeFile(`${BUILT}${name}.br`, brotliCompressSync(await readFile(`${BUILT}${name}`)));
  }
  await writeFile(STAMP, digest);
}

async function sourceDigest() {
  const names = (await readdir(SOURCE, { recursive: true })).toSorted();
  const files = [`${root}vite.config.ts`, `${root}package-lock.json`, ...names.map((name) => SOURCE + name)];
  const hash = createHash('sha256');
  for (const file of files) hash.update(file.slice(root.length)).update(await readFile(file).catch(() => ''));
  return hash.digest('hex');
}
