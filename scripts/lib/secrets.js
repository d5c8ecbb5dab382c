// Secrets of a fleet: a password for each user of NATS and of Grafana, and the key pair of the streams.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, readFile, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SetupError } from './setup-error.js';

const PROGRAMS = ['coordinator', 'analyzer', 'viewer'];
const PASSWORD_BYTES = 24;
const AGENT_PASSWORD = /^agent-(.+)\.password$/;
const SUBMITTER_PASSWORD = /^submitter-(.+)\.password$/;

/**
 * Who is in a fleet, and in which runs.
 *
 * @typedef {{ agents: string[], submitters?: string[], runs: string[], compose: boolean }} Members
 */

/**
 * Writes every secret into a new folder that only its owner may enter, for users who are let into `runs`. For compose
 * the files themselves may be read by all, because it mounts them as they are and the programs in the containers run as
 * another user; elsewhere they are of mode 0600, as the programs want them.
 *
 * @param {string} folder
 * @param {Members} members
 */
export async function writeSecrets(folder, { agents, submitters, runs, compose }, tools) {
  if (existsSync(join(folder, 'users.conf')))
    throw new SetupError(
      `${folder} holds secrets already: name the runs to let its users into with --run NAME, or remove it if you want new ones.`,
    );
  const users = usersOf({ agents, submitters, runs }).map((name) => ({
    name,
    password: newPassword(),
    runs,
  }));
  const authorization = tools.natsAuthorization(users);
  const keys = await tools.writeKeys(folder);
  const files = {};
  for (const name of ['grafana.password', 'http.token']) files[name] = `${newPassword()}\n`;
  for (const { name, password } of users) files[`${name}.password`] = `${password}\n`;
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text, modeOf(compose));
  await chmod(keys.privateKey, modeOf(compose).mode);
  // The last file, and whole: where it is, all the others are.
  await tools.writeAtomic(join(folder, 'users.conf'), authorization, modeOf(compose).mode);
  return agents;
}

/**
 * The same users with the same passwords, and agents that are new, let into these runs and no others. For compose the
 * file is written in place: containers hold it open.
 *
 * @param {string} folder
 * @param {Members} members
 */
export async function letIntoRuns(folder, { agents: named, submitters: people, runs, compose }, tools) {
  const files = await readdir(folder);
  const agents = allOf(files, AGENT_PASSWORD, named);
  const submitters = allOf(files, SUBMITTER_PASSWORD, people);
  const users = [];
  for (const name of usersOf({ agents, submitters, runs })) {
    const file = join(folder, `${name}.password`);
    // A folder of an earlier version has no password of a program that is new, and a full disk may have left one empty.
    let password = existsSync(file) ? (await readFile(file, 'utf8')).trim() : '';
    if (password === '') {
      password = newPassword();
      await tools.writeAtomic(file, `${password}\n`, modeOf(compose).mode);
    }
    users.push({ name, password, runs });
  }
  const write = compose ? writeFile : tools.writeAtomic;
  await write(join(folder, 'users.conf'), tools.natsAuthorization(users));
  return agents;
}

/** A nats-server for these users on a machine of its own; with TLS where it has a certificate. */
export async function writeNatsConfig(folder) {
  const place = resolve(folder);
  const file = (name) => JSON.stringify(join(place, name));
  const tls = `tls { cert_file: ${file('tls/nats.crt')}, key_file: ${file('tls/nats.key')} }`;
  const lines = [
    'server_name: entrain',
    'host: "0.0.0.0"',
    'port: 4222',
    `jetstream { store_dir: ${file('jetstream')} }`,
    'max_payload: 1MB',
    ...(existsSync(join(place, 'tls/nats.crt')) ? [tls] : []),
    'include "users.conf"',
  ];
  await writeFile(join(place, 'nats.conf'), `${lines.join('\n')}\n`);
}

const modeOf = (compose) => ({ mode: compose ? 0o644 : 0o600 });
/** Names that have a password file, and those that are new. */
const allOf = (files, pattern, named) => [
  ...new Set([...files.flatMap((file) => pattern.exec(file)?.[1] ?? []), ...(named ?? [])]),
];

/** The service has an operator; a fleet of named runs has none. */
const usersOf = ({ agents, submitters, runs }) => [
  ...PROGRAMS,
  ...(runs.includes('*') ? ['operator'] : []),
  ...agents.map((agent) => `agent-${agent}`),
  ...(submitters ?? []).map((name) => `submitter-${name}`),
];
const newPassword = () => randomBytes(PASSWORD_BYTES).toString('base64url');
