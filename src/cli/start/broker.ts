/** Gives the programs of a run their NATS server: the user's, or a private one. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { environment } from '../../process/environment.ts';
import type { RunClaim } from '../../process/run-folder/run-claim.ts';
import { natsFromEnvironment, type NatsOptions } from '../../transport/nats/connection.ts';
import type { Child } from './child-processes.ts';
import { startPrivateNats } from '../nats/private-nats.ts';
import type { StartSettings } from './start-settings.ts';

export interface Talk {
  /** Connection settings of the supervisor itself. */
  own: NatsOptions;
  /** Environment variables with which a program connects as a user. */
  credentials(user: string): Record<string, string>;
}

export async function startTalk(
  settings: StartSettings,
  to: {
    logFolder: string;
    secretsFolder: string;
    children: Child[];
    claim: RunClaim;
    say(text: string): void;
  },
): Promise<Talk> {
  const { logFolder, secretsFolder, children, claim, say } = to;
  if (settings.natsUrl) return ownServer(say);
  const users = [
    'coordinator',
    'analyzer',
    'supervisor',
    'viewer',
    ...[...settings.models.keys()].map((agent) => `agent-${agent}`),
  ];
  const nats = await startPrivateNats({
    secretsFolder,
    storeFolder: join(settings.folder, 'nats'),
    logFolder,
    users,
    runs: [settings.run],
    portsFolder: secretsFolder,
    claim,
  });
  children.push(nats.child);
  say(`nats-server  ${nats.url}  (private, JetStream)`);
  const { NATS_PASSWORD_FILE: file = '' } = nats.credentials('supervisor');
  return {
    own: { url: nats.url, user: 'supervisor', password: await readPassword(file) },
    credentials: (user) => nats.credentials(user),
  };
}

/** The user's server, from `NATS_URL`. */
async function ownServer(say: (text: string) => void): Promise<Talk> {
  const own = await natsFromEnvironment();
  say(`nats         ${own.url}  (yours, from NATS_URL)`);
  const shared = {
    NATS_URL: own.url,
    ...(own.user ? { NATS_USER: own.user } : {}),
    ...(own.password ? { NATS_PASSWORD: own.password } : {}),
    ...tlsFiles(),
  };
  return { own, credentials: () => shared };
}

/** Certificate files of this program, as environment variables for its children. */
function tlsFiles(): Record<string, string> {
  const names = ['NATS_CA_FILE', 'NATS_CERT_FILE', 'NATS_KEY_FILE'];
  return Object.fromEntries(names.map((name) => [name, environment(name) ?? '']));
}

async function readPassword(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim();
}
