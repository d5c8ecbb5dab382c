#!/usr/bin/env node
// npm run secrets [-- FOLDER]: the secrets that deploy/compose.yaml mounts, into deploy/secrets unless told otherwise.
import { requireNode } from './lib/node-version.js';

requireNode();
const { runMain, say } = await import('./lib/setup-error.js');
const { ensurePackages } = await import('./lib/packages.js');
const { compile } = await import('./lib/compile.js');
const { root } = await import('./lib/paths.js');
const { writeSecrets } = await import('./lib/secrets.js');

await runMain(async () => {
  const folder = process.argv[2] ?? `${root}deploy/secrets`;
  await ensurePackages();
  await compile();
  const { natsAuthorization } = await import('../dist/src/cli/nats-config.js');
  const { writeKeys } = await import('../dist/src/cli/keys.js');
  await writeSecrets(folder, ['ada', 'ben'], { natsAuthorization, writeKeys });
  say(`wrote ${folder}`);
});
