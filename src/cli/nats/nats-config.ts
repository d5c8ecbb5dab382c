/**
 * The configuration of a private nats-server as a pure function: JetStream, loopback only, one user per
 * program, for each user only the subjects it needs in its runs, and an account of their own for agents.
 */
import {
  accountOf,
  AGENTS_ACCOUNT,
  PROGRAMS_ACCOUNT,
  type AccountShape,
} from '../../transport/nats/accounts.ts';
import type { Shared } from '../../transport/nats/access/jwt.ts';
import { permissionsOf } from '../../transport/nats/permissions.ts';

export interface NatsUser {
  name: string;
  password: string;
  /** Runs whose subjects the user may use. */
  runs: readonly string[];
}

export interface NatsConfigOptions {
  storeFolder: string;
  /** Left out, the server chooses a free port and writes it into `portsFolder`. */
  port?: number;
  portsFolder: string;
  users: NatsUser[];
}

export function natsConfig(options: NatsConfigOptions): string {
  return [...common('127.0.0.1', options), natsAuthorization(options.users)].join('\n');
}

/** A server whose users show tokens: operator, accounts, and a certificate under which other machines reach it. */
export interface JoinedConfigOptions extends Omit<NatsConfigOptions, 'users'> {
  host: string;
  operator: string;
  systemAccount: string;
  /** Accounts, each with its token; the server keeps the later one of this and its own. */
  accounts: Readonly<Record<string, string>>;
  /** Where the server keeps accounts. */
  accountsFolder: string;
  tls: { cert: string; key: string };
}

export function joinedConfig(options: JoinedConfigOptions): string {
  const { host, operator, systemAccount, accounts, accountsFolder, tls } = options;
  const preload = Object.entries(accounts).map(([account, jwt]) => `  ${account}: ${jwt}`);
  return [
    ...common(host, options),
    `operator: ${operator}`,
    `system_account: ${systemAccount}`,
    `resolver: { type: full, dir: ${JSON.stringify(accountsFolder)}, allow_delete: false }`,
    ...(preload.length > 0 ? ['resolver_preload: {', ...preload, '}'] : []),
    `tls: { cert_file: ${JSON.stringify(tls.cert)}, key_file: ${JSON.stringify(tls.key)} }`,
    '',
  ].join('\n');
}

function common(
  host: string,
  { port, portsFolder, storeFolder }: Pick<NatsConfigOptions, 'port' | 'portsFolder' | 'storeFolder'>,
): string[] {
  return [
    'server_name: entrain',
    `host: ${JSON.stringify(host)}`,
    `port: ${port ?? -1}`,
    `ports_file_dir: ${JSON.stringify(portsFolder)}`,
    `jetstream { store_dir: ${JSON.stringify(storeFolder)} }`,
    'max_payload: 1MB',
    // A client whose link was cut is let go after 15 s; until then requests may be passed to its dead connection.
    'ping_interval: "5s"',
    'ping_max: 2',
  ];
}

/** Users, their permissions and accounts; also the file of users for a nats-server that one configures oneself. */
export function natsAuthorization(users: NatsUser[]): string {
  const blocks = [PROGRAMS_ACCOUNT, AGENTS_ACCOUNT].map((account) =>
    accountBlock(
      account,
      users.filter(({ name }) => accountOf(name) === account),
    ),
  );
  return ['accounts {', ...blocks, '}', ''].join('\n');
}

function accountBlock({ name, jetstream, exports, imports }: AccountShape, users: NatsUser[]): string {
  const other = name === PROGRAMS_ACCOUNT.name ? AGENTS_ACCOUNT.name : PROGRAMS_ACCOUNT.name;
  const list = (key: string, lines: string[]): string[] => [`    ${key} = [`, ...lines, '    ]'];
  return [
    `  ${name} {`,
    ...(jetstream ? ['    jetstream: enabled'] : []),
    ...list('users', users.map(userBlock)),
    ...list(
      'exports',
      exports.map((shared) => exported(shared, other)),
    ),
    ...list(
      'imports',
      imports.map((shared) => imported(shared, other)),
    ),
    '  }',
  ].join('\n');
}

const exported = ({ subject, is, answersOften }: Shared, to: string): string =>
  `      { ${is}: ${JSON.stringify(subject)}, ${answersOften ? 'response_type: "stream", ' : ''}accounts: [${to}] }`;

const imported = ({ subject, is, as }: Shared, from: string): string =>
  `      { ${is}: { account: ${from}, subject: ${JSON.stringify(subject)} }${as ? `, to: ${JSON.stringify(as)}` : ''} }`;

const ANSWERS = ', allow_responses = { max: 1, expires: "1m" }';

function userBlock(user: NatsUser): string {
  const { publish, subscribe, answers } = permissionsOf(user.name, user.runs);
  const list = (subjects: string[]): string =>
    // An empty list would allow everything.
    subjects.length > 0
      ? `[${subjects.map((subject) => JSON.stringify(subject)).join(', ')}]`
      : '{ deny: [">"] }';
  const permissions = `publish = ${list(publish)}, subscribe = ${list(subscribe)}${answers ? ANSWERS : ''}`;
  return `      { user: ${JSON.stringify(user.name)}, password: ${JSON.stringify(user.password)}, permissions = { ${permissions} } }`;
}
