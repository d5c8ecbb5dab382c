// Secrets for deploy/compose.yaml: a password for each user of NATS and of Grafana, and the key pair of the streams.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError } from './setup-error.js';

const PROGRAMS = ['coordinator', 'analyzer'];
const PASSWORD_BYTES = 24;

/**
 * Writes every secret into a new folder that only its owner may enter, for users who are let into `runs`. The files themselves may be
 * read by all, because compose mounts them as they are and the programs in the containers run as another user.
 */
export async function writeSecrets(folder, { agents, runs }, { natsAuthorization, writeKeys }) {
  if (existsSync(join(folder, 'users.conf')))
    throw new SetupError(
      `${folder} holds secrets already: name the runs to let its users into with --run NAME, or remove it if you want new ones.`,
    );
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const users = usersOf(agents).map((name) => ({ name, password: newPassword(), runs }));
  const files = { 'users.conf': natsAuthorization(users) };
  for (const name of ['grafana.password', 'http.token']) files[name] = `${newPassword()}\n`;
  for (const { name, password } of users) files[`${name}.password`] = `${password}\n`;
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text, { mode: 0o644 });
  const keys = await writeKeys(folder);
  await chmod(keys.privateKey, 0o644);
}

/** The same users with the same passwords, let into these runs and no others. The file is written in place: containers hold it open. */
export async function letIntoRuns(folder, { agents, runs }, { natsAuthorization }) {
  const users = [];
  for (const name of usersOf(agents)) {
    const password = (await readFile(join(folder, `${name}.password`), 'utf8')).trim();
    users.push({ name, password, runs });
  }
  await writeFile(join(folder, 'users.conf'), natsAuthorization(users));
}

const usersOf = (agents) => [...PROGRAMS, ...agents.map((agent) => `agent-${agent}`)];
const newPassword = () => randomBytes(PASSWORD_BYTES).toString('base64url');
