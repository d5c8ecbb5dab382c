// Exits 0 when the program in this container answers /healthz: under the container's name, or on loopback.
import { hostname } from 'node:os';

const port = process.argv[2] ?? '9464';
const TIMEOUT_MS = 2000;

const answers = [hostname(), '127.0.0.1'].map(async (host) => {
  const answer = await fetch(`http://${host}:${port}/healthz`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
});
await Promise.any(answers).catch(() => process.exit(1));
