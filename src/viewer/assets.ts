/** The built page, read once: each file as a route, compressed beforehand where its build says so. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EntrainError } from '../protocol/errors.ts';
import type { HttpRoute } from '../transport/http/server.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The page may talk to this server and to nobody else. uPlot and the ladder set styles of elements by script, which
 * this allows.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Where `npm run build` puts the page. */
export const pageFolder = (): string => {
  const here = fileURLToPath(new URL('.', import.meta.url));
  return here.includes(join('dist', 'src', 'viewer'))
    ? join(here, '..', '..', 'viewer')
    : join(here, '..', '..', 'dist', 'viewer');
};

/** @throws EntrainError `CONFIG_INVALID` where the page was not built */
export async function readAssets(folder = pageFolder()): Promise<Readonly<Record<string, HttpRoute>>> {
  const names = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new EntrainError(
      'CONFIG_INVALID',
      `The viewer's page is not there (${folder}): expected what "npm run build" makes; run it.`,
      { cause },
    );
  });
  const files = names.filter((name) => extname(name) in TYPES);
  const routes = await Promise.all(
    files.map(async (name): Promise<[string, HttpRoute]> => {
      const file = join(folder, name);
      const path = name === 'index.html' ? '/' : `/${name.replaceAll('\\', '/')}`;
      return [path, await assetRoute(file)];
    }),
  );
  return Object.fromEntries(routes);
}

async function assetRoute(file: string): Promise<HttpRoute> {
  const plain = await readFile(file);
  const brotli = await readFile(`${file}.br`).catch(() => undefined);
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  // The build puts a digest of its content into the name of every file but the page's own.
  const cache = extname(file) === '.html' ? 'no-cache' : 'public, max-age=31536000, immutable';
  const headers = { 'content-security-policy': POLICY, 'cache-control': cache, vary: 'accept-encoding' };
  return ({ encodings }) =>
    brotli && /\bbr\b/.test(encodings)
      ? { status: 200, type, body: brotli, headers: { ...headers, 'content-encoding': 'br' } }
      : { status: 200, type, body: plain, headers };
}
