#!/usr/bin/env node
// npm run secrets [-- FOLDER] [--run NAME…] [NAME=HOST…]: the secrets that deploy/compose.yaml mounts, into deploy/secrets unless
// told otherwise. The users may take part in the runs named (demo unless told otherwise) and no others; where there are secrets
// already, --run lets their users into other runs. With hosts also a certificate for each program, under an authority of one's own.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { requireNode } from './lib/node-version.js';

requireNode();
const { runMain, say } = await import('./lib/setup-error.js');
const { ensurePackages } = await import('./lib/packages.js');
const { compile } = await import('./lib/compile.js');
const { root } = await import('./lib/paths.js');
const { letIntoRuns, writeSecrets } = await import('./lib/secrets.js');
const { writeCertificates } = await import('./lib/certificates.js');

await runMain(async () => {
  const { values, positionals } = parseArgs({
    options: { run: { type: 'string', multiple: true } },
    allowPositionals: true,
  });
  const hosts = positionals.filter((word) => word.includes('='));
  const folder = positionals.find((word) => !word.includes('=')) ?? `${root}deploy/secrets`;
  const to = { agents: ['ada', 'ben'], runs: values.run ?? ['demo'] };
  await ensurePackages();
  await compile();
  const { natsAuthorization } = await import('../dist/src/cli/nats-config.js');
  const { writeKeys } = await import('../dist/src/cli/keys.js');
  const goesOn = values.run !== undefined && existsSync(`${folder}/users.conf`);
  await (goesOn ? letIntoRuns : writeSecrets)(folder, to, { natsAuthorization, writeKeys });
  if (hosts.length > 0) await writeCertificates(`${folder}/tls`, hosts);
  say(`wrote ${folder}`);
});
