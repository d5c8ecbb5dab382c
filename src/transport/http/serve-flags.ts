/** What every program that serves can be told about it: where, with which certificate, and who may read. */
import { portFlag } from '../../process/flags.ts';
import { readHttpToken } from './access.ts';
import { readServerTls, TLS_FLAGS, type ServerTls } from './tls.ts';

export const SERVE_FLAGS = {
  host: {
    type: 'string',
    default: '127.0.0.1',
    value: 'ADDRESS',
    about: 'where all that it serves is reached',
  },
  port: { type: 'string', default: '0', value: 'PORT', about: 'of that address; 0 takes a free one' },
  ...TLS_FLAGS,
  'http-token-file': {
    type: 'string',
    value: 'FILE',
    about: 'guards metrics, status page and results; of mode 0600',
  },
} as const;

export interface Serving {
  host: string;
  port: number;
  tls: ServerTls | undefined;
  token: string | undefined;
}

/** @throws EntrainError `USAGE`, `CONFIG_INVALID` */
export async function readServing(
  values: { host: string; port: string } & Partial<Record<keyof typeof SERVE_FLAGS, string | undefined>>,
): Promise<Serving> {
  const { host, port } = values;
  const tls = await readServerTls(values);
  return { host, port: portFlag(port), tls, token: await readHttpToken(values['http-token-file']) };
}
