import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { readAssets } from '../../../src/viewer/assets.ts';

/** All of the page as built. */
async function pageFor(encodings: string): Promise<{ path: string; encoding: string; body: Buffer }[]> {
  const routes = Object.entries(await readAssets());
  return Promise.all(
    routes.map(async ([path, route]) => {
      const { body, headers } = await route({ path, query: new URLSearchParams(), accept: '', encodings });
      return { path, encoding: headers?.['content-encoding'] ?? '', body: Buffer.from(body) };
    }),
  );
}

const UNPACK: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  br: brotliDecompressSync,
  gzip: gunzipSync,
};

it.each([
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip, deflate', 'gzip'],
])('is at most 200 kB for a browser that takes %s', async (encodings, encoding) => {
  const packed = await pageFor(encodings);
  expect(packed.map((one) => one.encoding)).toEqual(packed.map(() => encoding));
  expect(packed.reduce((sum, { body }) => sum + body.length, 0)).toBeLessThan(200_000);
  const plain = await pageFor('');
  expect(packed.map(({ body }) => UNPACK[encoding]?.(body).toString('hex'))).toEqual(
    plain.map(({ body }) => body.toString('hex')),
  );
});
