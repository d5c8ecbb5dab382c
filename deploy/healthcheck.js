// Exits 0 when the program in this container answers /healthz, by http or https, under the container's name or on
// loopback.
import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { hostname } from 'node:os';

const port = process.argv[2] ?? '9464';
const TIMEOUT_MS = 2000;

/** The certificate is for the name under which others come; the program is known by its port in this very container. */
const healthy = (request, host) =>
  new Promise((resolve, reject) => {
    const where = { host, port, path: '/healthz', timeout: TIMEOUT_MS, rejectUnauthorized: false };
    request(where, (answer) =>
      answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`)),
    )
      .on('timeout', () => reject(new Error('no answer in time')))
      .on('error', reject)
      .end();
  });

const ways = [http, https].flatMap((request) =>
  [hostname(), '127.0.0.1'].map((host) => healthy(request, host)),
);
await Promise.any(ways).then(
  () => process.exit(0),
  () => process.exit(1),
);
