/**
 * The configuration of a private nats-server as a pure function: JetStream, loopback only, one user per
 * program, and for each user only the subjects it needs in its runs.
 */
import { permissionsOf } from './nats-permissions.ts';

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
  return [
    'server_name: entrain',
    'host: "127.0.0.1"',
    `port: ${options.port ?? -1}`,
    `ports_file_dir: ${JSON.stringify(options.portsFolder)}`,
    `jetstream { store_dir: ${JSON.stringify(options.storeFolder)} }`,
    'max_payload: 1MB',
    // A client whose link was cut is let go after 15 s; until then requests may be passed to its dead connection.
    'ping_interval: "5s"',
    'ping_max: 2',
    natsAuthorization(options.users),
  ].join('\n');
}

/** Users and their permissions; also the file of users for a nats-server that one configures oneself. */
export function natsAuthorization(users: NatsUser[]): string {
  const blocks = users.map(userBlock);
  return ['authorization {', '  users = [', ...blocks, '  ]', '}', ''].join('\n');
}

function userBlock(user: NatsUser): string {
  const { publish, subscribe } = permissionsOf(user.name, user.runs);
  const list = (subjects: string[]): string =>
    `[${subjects.map((subject) => JSON.stringify(subject)).join(', ')}]`;
  const permissions = `publish = ${list(publish)}, subscribe = ${list(subscribe)}, allow_responses = { max: 1, expires: "1m" }`;
  return `    { user: ${JSON.stringify(user.name)}, password: ${JSON.stringify(user.password)}, permissions = { ${permissions} } }`;
}
