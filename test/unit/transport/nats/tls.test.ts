/**
 * NATS over TLS with a real nats-server: settings from the environment, which certificates are trusted, and no
 * fallback to plain text.
 */
import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectNats, natsFromEnvironment } from '../../../../src/transport/nats/connection.ts';
import { makeCertificates, type Certificates } from '../../../fixtures/programs/certificates.ts';
import { startNats, type NatsFixture } from '../../../fixtures/programs/nats-fixture.ts';
import { silentLog } from '../../../fixtures/stream/stream-fixture.ts';

let ours: Certificates;
let strangers: Certificates;
const servers: NatsFixture[] = [];
let [secure, plain] = ['', ''];

beforeAll(async () => {
  const hosts = ['localhost', 'IP:127.0.0.1'];
  ours = await makeCertificates([{ name: 'nats', hosts }]);
  strangers = await makeCertificates([]);
  servers.push(await startNats(['analyzer'], { certificates: ours }), await startNats(['analyzer']));
  [secure, plain] = servers.map(({ url }) => new URL(url).host) as [string, string];
});
afterAll(async () => {
  for (const server of servers) await server.close();
  for (const { folder } of [ours, strangers]) await rm(folder, { recursive: true });
});
afterEach(() => vi.unstubAllEnvs());

async function connect(url: string, files: Record<string, string> = {}): Promise<string> {
  const variables = { NATS_URL: url, NATS_USER: 'analyzer', NATS_PASSWORD: 'analyzer-secret', ...files };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  const link = await connectNats({ ...(await natsFromEnvironment()), name: 'test', log: silentLog });
  await link.connection.flush();
  await link.close();
  return 'connected';
}

describe('NATS over TLS', () => {
  it.each(['tls', 'nats'])('connects to %s:// with the authority of the server', async (scheme) => {
    await expect(connect(`${scheme}://${secure}`, { NATS_CA_FILE: ours.ca })).resolves.toBe('connected');
  });

  it.each<[string, () => Promise<string>]>([
    ['a server whose authority is unknown', () => connect(`tls://${secure}`)],
    ['a server of another authority', () => connect(`tls://${secure}`, { NATS_CA_FILE: strangers.ca })],
    ['a plain server at a tls address', () => connect(`tls://${plain}`)],
    [
      'a plain server where an authority is named',
      () => connect(`nats://${plain}`, { NATS_CA_FILE: ours.ca }),
    ],
  ])('refuses %s', async (_, attempt) => {
    await expect(attempt()).rejects.toMatchObject({ code: 'NATS_UNREACHABLE' });
  });

  it('names a file that holds no certificate authority', async () => {
    const attempt = connect(`tls://${secure}`, { NATS_CA_FILE: 'package.json' });
    await expect(attempt).rejects.toThrow('NATS_CA_FILE holds no PEM (package.json)');
  });
});
