#!/usr/bin/env node
// npm run secrets [-- FOLDER [NAME=HOST…]]: the secrets that deploy/compose.yaml mounts, into deploy/secrets unless told
// otherwise; with hosts also a certificate for each program, under an authority of one's own.
import { requireNode } from './lib/node-version.js';

requireNode();
const { runMain, say } = await import('./lib/setup-error.js');
const { ensurePackages } = await import('./lib/packages.js');
const { compile } = await import('./lib/compile.js');
const { root } = await import('./lib/paths.js');
const { writeSecrets } = await import('./lib/secrets.js');
const { writeCertificates } = await import('./lib/certificates.js');

await runMain(async () => {
  const [folder = `${root}deploy/secrets`, ...hosts] = process.argv.slice(2);
  await ensurePackages();
  await compile();
  const { natsAuthorization } = await import('../dist/src/cli/nats-config.js');
  const { writeKeys } = await import('../dist/src/cli/keys.js');
  await writeSecrets(folder, ['ada', 'ben'], { natsAuthorization, writeKeys });
  if (hosts.length > 0) await writeCertificates(`${folder}/tls`, hosts);
  say(`wrote ${folder}`);
});
