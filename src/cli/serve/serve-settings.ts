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

export const FLAGS = {
  agent: { type: 'string', multiple: true, value: 'ID', about: 'an agent to start here' },
  model: {
    type: 'string',
    multiple: true,
    value: '[AGENT=]DIR',
    about: 'decoder folder of all agents or of one',
  },
  provider: { type: 'string', default: 'cpu', value: 'NAME', about: 'cpu, webgpu, cuda, coreml or dml' },
  threads: { type: 'string', default: '1', value: 'N', about: 'of each model' },
  'at-once': { type: 'string', value: 'N', about: 'episodes that each agent plays at once' },
  'cache-mb': { type: 'string', value: 'N', about: 'memory of each agent for keys and values' },
  submitter: {
    type: 'string',
    multiple: true,
    value: 'NAME',
    about: 'somebody who may submit studies, with a password of their own',
  },
  runs: { type: 'string', default: 'runs', value: 'DIR', about: 'where run folders are' },
  port: {
    type: 'string',
    default: '9464',
    value: 'PORT',
    about: 'of metrics and results; 0 takes a free one',
  },
  'view-port': {
    type: 'string',
    value: 'PORT',
    about: 'of the viewer; 0 takes a free one (9470, or the next)',
  },
  'http-token-file': { type: 'string', value: 'FILE', about: 'guards viewer, metrics and results' },
  'budget-gb': { type: 'string', value: 'N', about: 'what all recordings may take; the oldest finished go' },
  'max-run-gb': { type: 'string', value: 'N', about: 'what one recording may take' },
  'grace-seconds': {
    type: 'string',
    default: '60',
    value: 'N',
    about: 'how long an agent may be away before another takes its role',
  },
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
