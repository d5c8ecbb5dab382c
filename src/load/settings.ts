/** Settings of `entrain load`, checked before anything is sent. */
import { parseArgs } from 'node:util';
import { EntrainError } from '../protocol/errors.ts';
import { required, runFlag, wholeNumber } from '../process/flags.ts';
import { readSecretFile } from '../process/secret-file.ts';
import { usageText } from '../process/usage.ts';
import { readAuthority, type ClientTls } from '../transport/http/tls.ts';
import { requireKey } from '../transport/stream/auth/signed-claims.ts';

export const FLAGS = {
  url: {
    type: 'string',
    value: 'URL',
    about: 'the stream of an analyzer, such as ws://127.0.0.1:4080/stream',
  },
  'private-key': { type: 'string', value: 'FILE', about: 'signs stream tokens, as the coordinator does' },
  'tls-ca': { type: 'string', value: 'FILE', about: 'whose certificates are believed, for wss:' },
  run: { type: 'string', default: 'load', value: 'NAME', about: 'under which name it is recorded' },
  agents: { type: 'string', default: '2', value: 'N', about: 'an even number: they talk in pairs' },
  layers: { type: 'string', default: '12', value: 'L', about: 'layers of the model that is simulated' },
  dims: { type: 'string', default: '768', value: 'D', about: 'and its width' },
  rate: { type: 'string', default: '20', value: 'R', about: 'tokens a second of each pair' },
  'turn-tokens': { type: 'string', default: '30', value: 'N', about: 'tokens in a turn' },
  branches: { type: 'boolean', default: false, about: 'with the states of three alternatives of each turn' },
  seconds: { type: 'string', default: '30', value: 'N', about: 'how long it sends' },
  'spool-mb': { type: 'string', default: '64', value: 'N', about: 'how much may wait at each agent' },
  json: { type: 'boolean', default: false, about: 'as one JSON object' },
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain load --url URL --private-key FILE',
      about:
        'Sends an analyzer what agents would send, without models: real frames through real spools and connections. Says what it took, and how fast.',
    },
    FLAGS,
  );

export interface LoadSettings {
  url: string;
  privateKey: string;
  tls: ClientTls | undefined;
  run: string;
  agents: number;
  layers: number;
  dims: number;
  tokensPerS: number;
  turnTokens: number;
  branches: boolean;
  seconds: number;
  spoolBytes: number;
  json: boolean;
}

/** @throws EntrainError `USAGE`, `CONFIG_INVALID` */
export async function readLoadSettings(argv: string[]): Promise<LoadSettings> {
  const { values } = parseArgs({ args: argv, options: FLAGS, strict: true });
  const number = (flag: 'layers' | 'dims' | 'rate' | 'turn-tokens' | 'seconds' | 'spool-mb', most: number) =>
    wholeNumber(`--${flag}`, values[flag], { least: 1, most });
  const url = required('--url', values.url, 'the stream of an analyzer, such as ws://127.0.0.1:4080/stream');
  if (!/^wss?:\/\//.test(url))
    throw new EntrainError(
      'USAGE',
      `--url is "${url}": expected an address that begins with ws:// or wss://.`,
    );
  const agents = wholeNumber('--agents', values.agents, { least: 2, most: 10_000 });
  if (agents % 2 !== 0)
    throw new EntrainError(
      'USAGE',
      `--agents is ${agents}: expected an even number, since they talk in pairs.`,
    );
  const file = required('--private-key', values['private-key'], 'the key that signs stream tokens');
  const privateKey = await readSecretFile('--private-key', file, 'an Ed25519 private key in PEM');
  requireKey(privateKey, { half: 'private', setting: `--private-key (${file})` });
  const ca = await readAuthority('--tls-ca', values['tls-ca']);
  return {
    url,
    privateKey,
    tls: ca === undefined ? undefined : { ca },
    run: runFlag('--run', values.run),
    agents,
    layers: number('layers', 512),
    dims: number('dims', 65_536),
    tokensPerS: number('rate', 10_000),
    turnTokens: number('turn-tokens', 10_000),
    branches: values.branches,
    seconds: number('seconds', 86_400),
    spoolBytes: number('spool-mb', 65_536) * 2 ** 20,
    json: values.json,
  };
}
