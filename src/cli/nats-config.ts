/**
 * The configuration of a private nats-server as a pure function: JetStream, loopback only, one user per program, each
 * allowed its own subjects and nothing else.
 */
import { NAME_PATTERN } from '../protocol/subjects.ts';
import { inboxPrefix } from '../transport/nats.ts';

export interface NatsUser {
  name: string;
  password: string;
}

interface Permissions {
  publish: string[];
  subscribe: string[];
}

export interface NatsConfigOptions {
  storeFolder: string;
  /** Left out: the server picks a free one and writes it into `portsFolder`. */
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
    natsAuthorization(options.users),
  ].join('\n');
}

/** Who may connect, and what each may do. Also the file of users for a nats-server that one configures oneself. */
export function natsAuthorization(users: NatsUser[]): string {
  const blocks = users.map((user) => userBlock(user, permissionsOf(user.name)));
  return ['authorization {', '  users = [', ...blocks, '  ]', '}', ''].join('\n');
}

/** User names are `coordinator`, `analyzer`, `supervisor` or `agent-ID`. */
export function permissionsOf(user: string): Permissions {
  const inbox = `${inboxPrefix(user)}.>`;
  switch (user) {
    case 'coordinator':
      return {
        publish: ['entrain.v1.>', '$JS.API.>', '$JS.ACK.>', '$SRV.>'],
        subscribe: [inbox, 'entrain.v1.*.renew.*', '$SRV.>'],
      };
    case 'analyzer':
      return {
        publish: ['$SRV.>'],
        subscribe: [inbox, 'entrain.v1.analyzer.>', 'entrain.v1.*.event.>', '$SRV.>'],
      };
    case 'supervisor':
      return {
        publish: ['$SRV.>'],
        subscribe: [
          inbox,
          'entrain.v1.*.event.>',
          'entrain.v1.*.episode.*.token',
          'entrain.v1.*.episode.*.utterance.*',
        ],
      };
    default:
      return agentPermissions(user.replace(/^agent-/, ''), inbox);
  }
}

function agentPermissions(agent: string, inbox: string): Permissions {
  if (!NAME_PATTERN.test(agent)) throw new Error(`not an agent name: ${agent}`);
  const consumers = [`spec-${agent}`, `hear-${agent}`];
  return {
    publish: [
      'entrain.v1.*.episode.*.token',
      'entrain.v1.*.episode.*.utterance.*',
      `entrain.v1.*.renew.${agent}`,
      ...consumers.flatMap((name) => [
        `$JS.API.CONSUMER.INFO.*.${name}`,
        `$JS.API.CONSUMER.MSG.NEXT.*.${name}`,
        `$JS.ACK.*.${name}.>`,
      ]),
    ],
    subscribe: [inbox, '$SRV.>', `entrain.v1.agent.${agent}.*`, 'entrain.v1.*.episode.*.token'],
  };
}

function userBlock(user: NatsUser, { publish, subscribe }: Permissions): string {
  const list = (subjects: string[]): string =>
    `[${subjects.map((subject) => JSON.stringify(subject)).join(', ')}]`;
  const permissions = `publish = ${list(publish)}, subscribe = ${list(subscribe)}, allow_responses = { max: 1, expires: "1m" }`;
  return `    { user: ${JSON.stringify(user.name)}, password: ${JSON.stringify(user.password)}, permissions = { ${permissions} } }`;
}
