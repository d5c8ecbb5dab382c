/** Settings of `entrain serve`, checked before anything is started. */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EntrainError } from '../../protocol/errors.ts';
import {
  atOnceFlag,
  cacheMbFlag,
  nameFlag,
  portFlag,
  providerFlag,
  threadsFlag,
  wholeNumber,
} from '../../process/flags.ts';
import { packageFile } from '../../process/package-file.ts';
import { usageText } from '../../process/usage.ts';
import { SERVICE_FOLDER } from '../service/ask-service.ts';
import { FLAGS as START } from '../start/start-settings.ts';

/** What means the same to `entrain start` is said there. */
export const FLAGS = {
  agent: { type: 'string', multiple: true, value: 'ID', about: 'an agent to start here' },
  model: START.model,
  provider: START.provider,
  threads: START.threads,
  'at-once': START['at-once'],
  'cache-mb': START['cache-mb'],
  submitter: {
    type: 'string',
    multiple: true,
    value: 'NAME',
    about: 'somebody who may submit studies, with a password of their own',
  },
  listen: {
    type: 'string',
    value: 'HOST',
    about: 'the name or address under which other machines reach this one, so that they can join',
  },
  'nats-port': { type: 'string', value: 'PORT', about: 'of NATS (4222 with --listen, else a free one)' },
  'coordinator-port': {
    type: 'string',
    value: 'PORT',
    about:
      'of the coordinator: its figures, and for Prometheus where those of all programs are (9463 with --listen, else a free one)',
  },
  'credential-minutes': {
    type: 'string',
    default: '1440',
    value: 'N',
    about: 'how long that holds by which an agent that joined connects; it is renewed at half',
  },
  runs: { type: 'string', default: 'runs', value: 'DIR', about: 'where run folders are' },
  port: START.port,
  'view-port': START['view-port'],
  'http-token-file': START['http-token-file'],
  'budget-gb': START['budget-gb'],
  'max-run-gb': START['max-run-gb'],
  'grace-seconds': START['grace-seconds'],
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain serve --agent ID --agent ID',
      about:
        'Keeps the programs of all runs going on this machine: NATS, coordinator, analyzer, viewer and agents. "entrain submit STUDY" gives them a study.',
    },
    FLAGS,
  );

const DEFAULT_MODEL = 'models/entrain-dialogue-8m';

export interface ServeSettings {
  /** Agent id → model folder. */
  agents: ReadonlyMap<string, string>;
  submitters: readonly string[];
  runs: string;
  /** Folder of secrets, logs and the store of nats-server. */
  folder: string;
  /** Flags that every agent is given. */
  agentFlags: readonly string[];
  analyzerFlags: readonly string[];
  viewerFlags: readonly string[];
  graceSeconds: number;
  coordinatorFlags: readonly string[];
  /** 0: a free one. */
  coordinatorPort: number;
  listen: string | undefined;
  /** Port of NATS; undefined: a free one. */
  natsPort: number | undefined;
}

export async function readServeSettings(argv: string[]): Promise<ServeSettings> {
  const { values } = parseArgs({ args: argv, options: FLAGS, strict: true });
  const runs = resolve(values.runs);
  const ids = [...new Set((values.agent ?? []).map((id) => nameFlag('--agent', id)))];
  const guard =
    values['http-token-file'] === undefined ? [] : ['--http-token-file', values['http-token-file']];
  const given = (...flags: ('budget-gb' | 'max-run-gb')[]): string[] =>
    flags.flatMap((flag) => (values[flag] === undefined ? [] : [`--${flag}`, values[flag]]));
  const viewPort = values['view-port'];
  return {
    agents: await modelsOf(ids, values.model ?? []),
    submitters: [...new Set((values.submitter ?? []).map((name) => nameFlag('--submitter', name)))],
    runs,
    folder: join(runs, SERVICE_FOLDER),
    agentFlags: agentFlagsOf(values),
    analyzerFlags: ['--port', String(portFlag(values.port)), ...given('budget-gb', 'max-run-gb'), ...guard],
    viewerFlags: [...(viewPort === undefined ? [] : ['--port', viewPort]), ...guard],
    coordinatorFlags: ['--credential-minutes', values['credential-minutes'], ...guard],
    coordinatorPort: portWithListen('coordinator-port', COORDINATOR_PORT, values),
    ...listenFlags(values),
    graceSeconds: wholeNumber('--grace-seconds', values['grace-seconds']),
  };
}

const NATS_PORT = 4222;
const COORDINATOR_PORT = 9463;

type Listening = { listen?: string; 'nats-port'?: string; 'coordinator-port'?: string };

/** Others find a port only if it stays the same; without them a free one is taken. */
function portWithListen(flag: 'nats-port' | 'coordinator-port', usual: number, values: Listening): number {
  const { listen, [flag]: port = listen === undefined ? '0' : String(usual) } = values;
  return portFlag(port);
}

function listenFlags(values: Listening): {
  listen: string | undefined;
  natsPort: number | undefined;
} {
  const { listen } = values;
  if (
    listen !== undefined &&
    isIP(listen) === 0 &&
    !/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(listen)
  )
    throw new EntrainError(
      'USAGE',
      `--listen is "${listen}": expected a name or an address under which other machines reach this one, such as lab-1 or 192.168.1.7.`,
    );
  return { listen, natsPort: portWithListen('nats-port', NATS_PORT, values) || undefined };
}

function agentFlagsOf(values: {
  provider: string;
  threads: string;
  'at-once'?: string;
  'cache-mb'?: string;
}): string[] {
  const atOnce = atOnceFlag(values['at-once']);
  const cacheMb = cacheMbFlag(values['cache-mb']);
  return [
    '--provider',
    providerFlag(values.provider),
    '--threads',
    String(threadsFlag(values.threads)),
    ...(atOnce === undefined ? [] : ['--at-once', String(atOnce)]),
    ...(cacheMb === undefined ? [] : ['--cache-mb', String(cacheMb)]),
  ];
}

async function modelsOf(ids: readonly string[], flags: readonly string[]): Promise<Map<string, string>> {
  const fallback = join(await packageFile(''), DEFAULT_MODEL);
  const models = new Map(ids.map((id) => [id, fallback]));
  for (const text of flags) {
    const [, id, folder] = /^([A-Za-z0-9_-]+)=(.+)$/.exec(text) ?? [];
    if (id !== undefined && !models.has(id))
      throw new EntrainError(
        'USAGE',
        `--model names agent "${id}": expected one of those of --agent (${ids.join(', ')}).`,
      );
    for (const agent of id === undefined ? ids : [id]) models.set(agent, resolve(folder ?? text));
  }
  return models;
}
