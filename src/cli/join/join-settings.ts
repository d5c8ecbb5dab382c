/** Settings of `entrain join`, checked before anything is asked for. */
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EntrainError } from '../../protocol/errors.ts';
import { nameFlag, noMore, portFlag, providerFlag, threadsFlag } from '../../process/flags.ts';
import { usageText } from '../../process/usage.ts';
import { advertiseFlag } from '../../transport/http/serve-flags.ts';
import { FLAGS as START } from '../start/start-settings.ts';

export const FLAGS = {
  model: {
    type: 'string',
    multiple: true,
    value: '[NAME=]DIR',
    about: 'an agent with this model; without a name it is called as the machine',
  },
  analyzer: {
    type: 'boolean',
    default: false,
    about: 'an analyzer in place of agents, by a token of "entrain token --analyzer"',
  },
  id: { type: 'string', value: 'NAME', about: 'name of the analyzer; without it, of the machine' },
  runs: { type: 'string', default: 'runs', value: 'DIR', about: 'where the analyzer keeps recordings' },
  advertise: {
    type: 'string',
    value: 'NAME[:PORT]',
    about:
      'how other machines reach what this one serves; an analyzer without it: by the address from which this machine reaches the service',
  },
  port: { type: 'string', default: '0', value: 'PORT', about: 'of the analyzer; 0 takes a free one' },
  'budget-gb': START['budget-gb'],
  provider: START.provider,
  threads: START.threads,
  'at-once': START['at-once'],
  'cache-mb': START['cache-mb'],
  host: {
    type: 'string',
    value: 'ADDRESS',
    about: 'where Prometheus reads the figures of its agents (127.0.0.1, which is this machine alone)',
  },
  data: { type: 'string', default: 'joined', value: 'DIR', about: 'credentials, spools and logs' },
  install: {
    type: 'boolean',
    default: false,
    about: 'write a systemd unit that goes on after each boot, and end',
  },
  'unit-dir': {
    type: 'string',
    default: '/etc/systemd/system',
    value: 'DIR',
    about: 'where the unit is written',
  },
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain join [TOKEN] --model DIR | --analyzer',
      about:
        'Lets the agents of this machine, or an analyzer, into a service, by a token that "entrain token" printed there, and keeps them going. A machine that has joined needs no token.',
    },
    FLAGS,
  );

export interface JoinAnalyzer {
  id: string;
  runs: string;
  /** `NAME[:PORT]`, if it was said. */
  advertise: string | undefined;
  /** Further flags of `entrain analyzer`. */
  flags: readonly string[];
}

export interface JoinSettings {
  token: string | undefined;
  /** Agent → model folder. */
  models: ReadonlyMap<string, string>;
  agentFlags: readonly string[];
  /** In place of agents. */
  analyzer: JoinAnalyzer | undefined;
  data: string;
  /** Folder of the systemd unit, if one is to be written. */
  unitFolder: string | undefined;
}

export function readJoinSettings(argv: string[]): JoinSettings {
  const { values, positionals } = parseArgs({ args: argv, options: FLAGS, allowPositionals: true });
  noMore(positionals, 1, 'one token, and models by --model');
  const [token] = positionals;
  const models = modelsOf(values.model ?? []);
  if (models.size === 0 && !values.analyzer)
    throw new EntrainError(
      'USAGE',
      '--model is missing: expected the folder of the model of an agent, or --analyzer.',
    );
  if (models.size > 0 && values.analyzer)
    throw new EntrainError(
      'USAGE',
      '--analyzer and --model are both given: expected one of them; a token lets in agents or an analyzer.',
    );
  const optional = (['at-once', 'cache-mb', 'host', 'advertise'] as const).flatMap((flag) =>
    values[flag] === undefined ? [] : [`--${flag}`, values[flag]],
  );
  return {
    token,
    models,
    agentFlags: [
      '--provider',
      providerFlag(values.provider),
      '--threads',
      String(threadsFlag(values.threads)),
      ...optional,
    ],
    analyzer: values.analyzer ? analyzerOf(values) : undefined,
    data: resolve(values.data),
    unitFolder: values.install ? resolve(values['unit-dir']) : undefined,
  };
}

function analyzerOf(values: {
  id?: string;
  runs: string;
  advertise?: string;
  port: string;
  'budget-gb'?: string;
}): JoinAnalyzer {
  const { id = machineName('analyzer'), advertise, port } = values;
  const budget = values['budget-gb'];
  return {
    id: nameFlag('--id', id),
    runs: resolve(values.runs),
    advertise: advertiseFlag(advertise),
    flags: ['--port', String(portFlag(port)), ...(budget === undefined ? [] : ['--budget-gb', budget])],
  };
}

/** What stands before the first dot of the machine's name. */
const machineName = (otherwise: string): string =>
  hostname()
    .split('.')[0]
    ?.replaceAll(/[^A-Za-z0-9_-]/g, '-') || otherwise;

function modelsOf(texts: readonly string[]): Map<string, string> {
  const models = new Map<string, string>();
  const machine = machineName('agent');
  for (const text of texts) {
    const [, given, folder = text] = /^([A-Za-z0-9_-]+)=(.+)$/.exec(text) ?? [];
    const name = nameFlag(
      '--model',
      given ?? (models.has(machine) ? `${machine}-${models.size + 1}` : machine),
    );
    if (models.has(name))
      throw new EntrainError('USAGE', `--model names agent "${name}" twice: expected another name for each.`);
    models.set(name, resolve(folder));
  }
  return models;
}

export const credentialsFile = (data: string, agent: string): string => join(data, `${agent}.creds`);
/** What the analyzer of this machine has; in a folder of its own, since an agent may be called `analyzer`. */
export const analyzerFiles = (
  data: string,
): Record<'folder' | 'credentials' | 'cert' | 'key' | 'streamKey', string> => {
  const folder = join(data, 'analyzer');
  const [credentials, cert, key, streamKey] = [
    'analyzer.creds',
    'server.crt',
    'server.key',
    'stream.pem',
  ].map((name) => join(folder, name)) as [string, string, string, string];
  return { folder, credentials, cert, key, streamKey };
};
