// A service on several hosts of this machine: one that serves, one that stands by, one with a second analyzer, and one
// with Prometheus. Each gets what an operator copies there.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './paths.js';
import { SetupError } from './setup-error.js';
import { startPrometheus } from './watching-host.js';

const PATIENCE_MS = 600_000;
const COORDINATOR_PORT = '9463';
/** Longer than a host is cut off, or the agent behind it is given up. */
const GRACE_S = '60';

export async function until(what, ask, timeoutMs = PATIENCE_MS) {
  for (const untilMs = performance.now() + timeoutMs; performance.now() < untilMs; await delay(250)) {
    const answer = await ask();
    if (answer) return answer;
  }
  throw new SetupError(`${what}: not within ${timeoutMs / 1000} s.`);
}

/** Address and words of a service that has started on the hub. */
export async function startService({ start, hosts, runs, token }) {
  await writeFile(token, randomBytes(24).toString('hex'), { mode: 0o600 });
  const people = ['--submitter', 'eva', '--submitter', 'bob'];
  const ports = ['--port', '0', '--view-port', '0', '--http-token-file', token];
  const flags = [...people, ...ports, '--grace-seconds', GRACE_S];
  const hub = start('hub', ['serve', '--runs', runs.hub, '--listen', hosts.get('hub').address, ...flags]);
  await until('the service', () => hub.text.includes('entrain join entrain1.'));
  const secrets = join(runs.hub, '.service', 'secrets');
  const ca = join(secrets, 'authority', 'ca.crt');
  const url = /tls:\/\/10\.77\.0\.1:\d+/.exec(hub.text)[0];
  const as = (user) => ({ NATS_URL: url, NATS_CREDS_FILE: join(secrets, `${user}.creds`), NATS_CA_FILE: ca });
  const ask = async (user, ...argv) => {
    const one = start('hub', [...argv, '--json'], as(user));
    await one.ended;
    const line = one.text.split('\n').find((text) => text.startsWith('{"'));
    return line === undefined ? {} : JSON.parse(line);
  };
  return { as, ask, secrets, ca };
}

/** @returns flags by which a program serves on a host with a certificate of its own */
async function serving(host, { hosts, runs, token }, { secrets }) {
  const { makeServerCertificate } = await import(`${root}dist/src/transport/http/authority/certificate.js`);
  const read = (file) => readFile(join(secrets, 'authority', file), 'utf8');
  const pair = { cert: await read('ca.crt'), key: await read('ca.key') };
  const { address } = hosts.get(host);
  const made = await makeServerCertificate(pair, { name: host, hosts: [address], nowMs: Date.now() });
  await mkdir(runs[host], { recursive: true });
  const [cert, key] = ['server.crt', 'server.key'].map((file) => join(runs[host], file));
  await writeFile(cert, made.cert);
  await writeFile(key, made.key, { mode: 0o600 });
  return ['--host', address, '--tls-cert', cert, '--tls-key', key, '--http-token-file', token];
}

/** A second analyzer and a coordinator that stands by, each with what an operator copies there. */
export async function startOthers(all, service) {
  const { start, runs } = all;
  const { as, secrets } = service;
  const keys = join(secrets, 'stream');
  const tested = ['--public-key', join(keys, 'stream-public.pem'), '--runs', runs.analyzer];
  const at = await serving('analyzer', all, service);
  start('analyzer', ['analyzer', '--id', 'second', ...at, ...tested], as('analyzer'));
  const signs = [
    '--private-key',
    join(keys, 'stream-private.pem'),
    '--join-keys',
    join(secrets, 'join-keys.json'),
  ];
  signs.push('--port', COORDINATOR_PORT, ...(await serving('standby', all, service)));
  const flags = ['--runs', runs.standby, '--grace-seconds', GRACE_S, ...signs];
  all.standby = start('standby', ['coordinator', ...flags], as('coordinator'));
}

/** Asks both coordinators: each of them may be lost. */
export function startWatching({ hosts, folder, token }, { ca }) {
  const targets = ['hub', 'standby'].map(
    (host) => `https://${hosts.get(host).address}:${COORDINATOR_PORT}/api/targets`,
  );
  return startPrometheus(hosts.get('prometheus'), { folder: join(folder, 'prometheus'), targets, ca, token });
}
