#!/usr/bin/env node
// npm run secrets [-- FOLDER] [--run NAME…] [--agent NAME…] [NAME=HOST…]: the secrets of a fleet. Without FOLDER they
// go to deploy/secrets, where deploy/compose.yaml mounts them; a FOLDER also gets a nats.conf. The users may take part
// in the runs named (demo unless told otherwise) and no others; where there are secrets already, --run lets their users
// into other runs. Agents are those of --agent and of agent-NAME=HOST (ada and ben where none is named). With hosts
// each program also gets a certificate, under an authority of one's own.
import './lib/telemetry-off.js';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { requireNode } from './lib/node-version.js';

requireNode();
const { runMain, say, SetupError } = await import('./lib/setup-error.js');
const { ensurePackages } = await import('./lib/packages.js');
const { compile } = await import('./lib/compile.js');
const { root } = await import('./lib/paths.js');
const { letIntoRuns, writeNatsConfig, writeSecrets } = await import('./lib/secrets.js');
const { readProgram, writeCertificates } = await import('./lib/certificates.js');

const USAGE = `npm run secrets -- [FOLDER] [--run NAME]… [--any-run] [--agent NAME]… [--submitter NAME]… [NAME=HOST[,HOST]]…

Writes the secrets of a fleet: passwords of the NATS users, the keys of the activation stream, and a certificate for each program that
is named with its hosts. Where the folder holds secrets they stay, and agents and certificates that are new are added.

  FOLDER       where they go (deploy/secrets, which deploy/compose.yaml mounts); a FOLDER also gets a nats.conf
  --run NAME   run that the users are let into (demo); where there are secrets already it is needed
  --any-run    in place of --run: into any run, for a resident coordinator; adds the user operator
  --agent NAME an agent (ada and ben)
  --submitter NAME somebody who may submit studies
  NAME=HOST    a program (nats, coordinator, analyzer, viewer, agent-NAME) and the names or addresses it is reached under`;

await runMain(async () => {
  const asked = readArguments();
  if (asked.help) {
    console.log(USAGE);
    return 0;
  }
  await ensurePackages();
  await compile();
  const { nameFlag, runFlag, ...tools } = await programTools();
  const { own, hosts, named, submitters, runs = ['demo'] } = asked;
  const folder = own ?? `${root}deploy/secrets`;
  const goesOn = asked.runs !== undefined && existsSync(`${folder}/users.conf`);
  const agents = named.length > 0 || goesOn ? [...new Set(named)] : ['ada', 'ben'];
  agents.forEach((agent) => nameFlag('--agent', agent));
  if (!asked.anyRun) runs.forEach((run) => runFlag('--run', run));
  submitters.forEach((name) => nameFlag('--submitter', name));
  const to = { agents, submitters, runs, compose: own === undefined };
  const users = await (goesOn ? letIntoRuns : writeSecrets)(folder, to, tools);
  if (hosts.length > 0) await writeCertificates(`${folder}/tls`, hosts);
  if (own !== undefined) await writeNatsConfig(folder);
  say(
    `wrote ${folder}: agents ${users.join(', ')} of ${asked.anyRun ? 'any run' : `run ${runs.join(', ')}`}`,
  );
});

function readArguments() {
  const { values, positionals } = parseArgs({
    options: {
      run: { type: 'string', multiple: true },
      'any-run': { type: 'boolean', default: false },
      agent: { type: 'string', multiple: true },
      submitter: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowPositionals: true,
  });
  const hosts = positionals.filter((word) => word.includes('='));
  const [own, ...rest] = positionals.filter((word) => !word.includes('='));
  if (rest.length > 0)
    throw new SetupError(`"${rest[0]}" is too much: expected one FOLDER, and hosts as NAME=HOST.`);
  hosts.forEach(readProgram);
  const named = [
    ...(values.agent ?? []),
    ...hosts.flatMap((host) => /^agent-([^=]+)=/.exec(host)?.[1] ?? []),
  ];
  const anyRun = values['any-run'];
  if (anyRun && values.run !== undefined)
    throw new SetupError('--any-run and --run were given: expected one of them.');
  const submitters = values.submitter ?? [];
  return { help: values.help, runs: anyRun ? ['*'] : values.run, anyRun, own, hosts, named, submitters };
}

/** Parts of the program that are there once it is compiled. */
async function programTools() {
  const { natsAuthorization } = await import('../dist/src/cli/nats/nats-config.js');
  const { writeKeys } = await import('../dist/src/cli/keys.js');
  const { nameFlag, runFlag } = await import('../dist/src/process/flags.js');
  const { writeAtomic } = await import('../dist/src/process/write-atomic.js');
  return { natsAuthorization, writeKeys, writeAtomic, nameFlag, runFlag };
}
