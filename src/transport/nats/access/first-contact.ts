/**
 * What a machine does before it has credentials: it opens a TLS session with the NATS server, sends nothing in it, and
 * takes the authority behind the server's certificate if its key has the fingerprint that a token names.
 */
import { X509Certificate } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { EntrainError } from '../../../protocol/errors.ts';
import { keyFingerprint } from '../../http/tls.ts';

const WAIT_MS = 5000;
const NATS_PORT = 4222;
/** The server names itself in one line before TLS begins. */
const MOST_BYTES = 64 * 1024;

/**
 * @returns the certificate of the authority, as PEM, and the address of this machine on the way there
 * @throws EntrainError `NATS_UNREACHABLE`, `SERVICE_UNTRUSTED`
 */
export async function fetchAuthority(
  url: string,
  fingerprint: string,
): Promise<{ ca: string; localAddress: string }> {
  const { hostname, port } = new URL(url);
  const host = hostname.replaceAll(/[[\]]/g, '');
  const socket = connect({ host, port: port === '' ? NATS_PORT : Number(port) });
  socket.setTimeout(WAIT_MS, () => socket.destroy(new Error(`no answer within ${WAIT_MS / 1000} s`)));
  const chain = await shownBy(socket, host).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EntrainError(
      'NATS_UNREACHABLE',
      `The NATS server of the token cannot be reached at ${url} (${why}): expected a server that speaks TLS there; see whether "entrain serve" runs and whether this machine can reach the port.`,
      { cause },
    );
  });
  const { localAddress = '' } = socket;
  socket.destroy();
  const found = chain.find((cert) => keyFingerprint(cert) === fingerprint);
  if (found) return { ca: new X509Certificate(found).toString(), localAddress };
  throw new EntrainError(
    'SERVICE_UNTRUSTED',
    `What answers at ${url} is not the service of the token: its certificate is not signed by the authority that the token names; nothing was sent to it. Ask for a new token, and see which program listens there.`,
  );
}

/** The certificates that the server shows, each as DER. */
async function shownBy(socket: Socket, host: string): Promise<Buffer[]> {
  await firstLine(socket);
  // Which authority it is decides the fingerprint, below; until then nothing is sent.
  const secured = connectTls({ socket, host, rejectUnauthorized: false });
  await once(secured, 'secureConnect');
  const chain: Buffer[] = [];
  for (let at: DetailedPeerCertificate | undefined = secured.getPeerCertificate(true); at?.raw;) {
    chain.push(at.raw);
    if (at.issuerCertificate === at) break;
    at = at.issuerCertificate;
  }
  return chain;
}

function once(socket: Socket | TLSSocket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
}

async function firstLine(socket: Socket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let bytes = 0;
    const take = (part: Buffer): void => {
      bytes += part.length;
      if (bytes > MOST_BYTES) socket.destroy(new Error('this is no NATS server'));
      if (!part.includes('\n')) return;
      socket.off('data', take);
      socket.pause();
      resolve();
    };
    socket.on('data', take);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
}
