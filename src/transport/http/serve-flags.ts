/** Flags of every program with an HTTP server: address, certificate, and who may read. */
import { EntrainError } from '../../protocol/errors.ts';
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
  advertise: {
    type: 'string',
    value: 'NAME[:PORT]',
    about: 'how other machines reach it, where --host is 0.0.0.0 or stands behind a router',
  },
  port: { type: 'string', default: '0', value: 'PORT', about: 'of that address; 0 takes a free one' },
  ...TLS_FLAGS,
  'http-token-file': {
    type: 'string',
    value: 'FILE',
    about: 'guards all but health; of mode 0600',
  },
} as const;

export interface Serving {
  host: string;
  advertise: string | undefined;
  port: number;
  tls: ServerTls | undefined;
  token: string | undefined;
}

/**
 * Settings of the HTTP server from the flags.
 * @throws EntrainError `USAGE`, `CONFIG_INVALID`
 */
export async function readServing(
  values: { host: string; port: string } & Partial<Record<keyof typeof SERVE_FLAGS, string | undefined>>,
): Promise<Serving> {
  const { host, port } = values;
  const advertise = advertiseFlag(values.advertise);
  const tls = await readServerTls(values);
  return {
    host,
    advertise,
    port: portFlag(port),
    tls,
    token: await readHttpToken(values['http-token-file']),
  };
}

/**
 * Checks `--advertise`: a host name, an IPv4 address or an IPv6 address in brackets, with a port if that
 * differs.
 */
export function advertiseFlag(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const port = Number(/:(\d+)$/.exec(value)?.[1] ?? 1);
  if (/^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?$/.test(value) && port > 0 && port < 65_536) return value;
  throw new EntrainError(
    'USAGE',
    `--advertise is "${value}": expected a name or address and perhaps a port, such as lab-1, lab-1:9464 or [fd00::1].`,
  );
}
