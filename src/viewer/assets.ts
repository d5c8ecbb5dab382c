/** Serves the built page: each file is read once and becomes a route, compressed as the browser takes it. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { EntrainError } from '../protocol/errors.ts';
import type { HttpAnswer, HttpRoute } from '../transport/http/server.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The page may connect only to this server. uPlot and the ladder set styles by script, which the policy allows.
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

/** The folder into which `npm run build` writes the page. */
export const pageFolder = (): string => {
  const here = fileURLToPath(new URL('.', import.meta.url));
  return here.includes(join('dist', 'src', 'viewer'))
    ? join(here, '..', '..', 'viewer')
    : join(here, '..', '..', 'dist', 'viewer');
};

/** @throws EntrainError `CONFIG_INVALID` if the page was not built */
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
  // Browsers ask for brotli only where nobody between can have changed it: over https, and on this machine.
  const gzip = gzipSync(plain);
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  // The build puts a digest of the content into every file name except that of the HTML page.
  const cache = extname(file) === '.html' ? 'no-cache' : 'public, max-age=31536000, immutable';
  const headers = { 'content-security-policy': POLICY, 'cache-control': cache, vary: 'accept-encoding' };
  const packed = (encoding: string, body: Uint8Array): HttpAnswer => ({
    status: 200,
    type,
    body,
    headers: { ...headers, 'content-encoding': encoding },
  });
  return ({ encodings }) => {
    if (brotli && /\bbr\b/.test(encodings)) return packed('br', brotli);
    if (/\bgzip\b/.test(encodings)) return packed('gzip', gzip);
    return { status: 200, type, body: plain, headers };
  };
}
