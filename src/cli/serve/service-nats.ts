/** The NATS server of `entrain serve`: with TLS, and users who show tokens, so that machines join while it runs. */
import { join } from 'node:path';
import type { OperatorKeys } from '../../protocol/join-messages.ts';
import { makeFolder } from '../../process/make-folder.ts';
import { systemClock } from '../../process/clock.ts';
import type { RunClaim } from '../../process/run-folder/run-claim.ts';
import { writeAtomic } from '../../process/write-atomic.ts';
import { AUTHORITY_FILE, keepAuthority } from '../../transport/http/authority/authority-files.ts';
import { makeServerCertificate, type Pair } from '../../transport/http/authority/certificate.ts';
import { keyFingerprint } from '../../transport/http/tls.ts';
import { joinedConfig } from '../nats/nats-config.ts';
import { startNatsServer } from '../nats/private-nats.ts';
import type { Child } from '../start/child-processes.ts';
import { accountsOf, keepOperatorKeys, systemUser, writeUser } from './operator-keys.ts';

export interface ServiceNats {
  /** Address for programs of this machine. */
  url: string;
  /** Address for other machines. */
  publicUrl: string;
  child: Child;
  authorityFile: string;
  /** Certificate of this machine's servers. */
  tls: { cert: string; key: string };
  /** File of `--join-keys`. */
  joinKeys: string;
  /** Environment variables with which a program connects as this user. */
  credentials(user: string): Record<string, string>;
}

export interface ServiceNatsOptions {
  secretsFolder: string;
  storeFolder: string;
  portsFolder: string;
  logFolder: string;
  claim: Pick<RunClaim, 'addChild'>;
  users: readonly string[];
  /** Name or address under which other machines reach this one; undefined: none does. */
  listen: string | undefined;
  port: number | undefined;
}

/** Names under which its own programs reach it. */
const LOCAL = ['localhost', '127.0.0.1'];

export async function startServiceNats(options: ServiceNatsOptions): Promise<ServiceNats> {
  const { secretsFolder, listen } = options;
  const certificates = await writeCertificates(options);
  const keys = await keepOperatorKeys(secretsFolder);
  const files = new Map<string, string>();
  for (const user of options.users) files.set(user, await writeUser(secretsFolder, keys, user));
  const config = await serverConfig(options, keys, certificates.tls);
  const server = await startNatsServer(config, options);
  const at = new URL(server.url).port;
  const [url, publicUrl] = [`tls://127.0.0.1:${at}`, `tls://${bracketed(listen ?? '127.0.0.1')}:${at}`];
  const joinKeys = join(secretsFolder, 'join-keys.json');
  const { account, accountSigning, agentsAccount, agentsSigning, operatorSigning } = keys;
  const accounts = { account, accountSigning, agentsAccount, agentsSigning };
  const signing = { ...accounts, operatorSigning, system: systemUser(keys) };
  const { authority, ...made } = certificates;
  const signedBy = { authority: keyFingerprint(authority.cert), authorityPair: authority };
  await writeAtomic(joinKeys, JSON.stringify({ url: publicUrl, ...signedBy, ...signing }));
  return {
    ...made,
    url,
    publicUrl,
    child: server.child,
    joinKeys,
    credentials: (user) => ({
      NATS_URL: url,
      NATS_CREDS_FILE: files.get(user) ?? '',
      NATS_CA_FILE: made.authorityFile,
    }),
  };
}

/** The certificate of this machine's servers is new at each start, under the authority that stays. */
async function writeCertificates({
  secretsFolder,
  listen,
}: ServiceNatsOptions): Promise<Pick<ServiceNats, 'authorityFile' | 'tls'> & { authority: Pair }> {
  const folder = join(secretsFolder, 'authority');
  const nowMs = systemClock.nowMs();
  const authority = await keepAuthority(folder, nowMs);
  const hosts = listen === undefined ? LOCAL : [listen, ...LOCAL];
  const own = await makeServerCertificate(authority, { name: listen ?? 'localhost', hosts, nowMs });
  const tls = { cert: join(secretsFolder, 'server.crt'), key: join(secretsFolder, 'server.key') };
  await writeAtomic(tls.key, own.key);
  await writeAtomic(tls.cert, own.cert, 0o644);
  return { tls, authorityFile: join(folder, AUTHORITY_FILE), authority };
}

async function serverConfig(
  { storeFolder, portsFolder, listen, port }: ServiceNatsOptions,
  keys: OperatorKeys,
  tls: { cert: string; key: string },
): Promise<string> {
  await makeFolder(storeFolder);
  const accountsFolder = join(storeFolder, 'accounts');
  await makeFolder(accountsFolder, 0o700);
  return joinedConfig({
    host: listen === undefined ? '127.0.0.1' : '0.0.0.0',
    storeFolder,
    portsFolder,
    ...(port === undefined ? {} : { port }),
    operator: keys.operator,
    systemAccount: keys.system,
    accounts: await accountsOf(keys, accountsFolder),
    accountsFolder,
    tls,
  });
}

/** As it is written in an address. */
export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
