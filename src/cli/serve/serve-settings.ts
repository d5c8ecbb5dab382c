/** Settings of `entrain serve`, checked before anything is started. */
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
    graceSeconds: wholeNumber('--grace-seconds', values['grace-seconds']),
  };
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
