#!/usr/bin/env node
// npm run soak [-- --minutes N --seed S]: sixteen episodes at once for long, with random kills: the same words as
// without, and flat memory. Exit status 1 when it is not so.
import './lib/telemetry-off.js';
import { requireNode } from './lib/node-version.js';

requireNode();
const { parseArgs } = await import('node:util');
const { loadCompiled } = await import('./lib/compiled.js');
const { ensureNatsServer } = await import('./lib/nats-server.js');
const { runMain, say, SetupError } = await import('./lib/setup-error.js');

await runMain(async () => {
  const { minutes, seed } = readOptions();
  process.env.ENTRAIN_NATS_SERVER = await ensureNatsServer({ needed: true });
  const { soak } = await loadCompiled('soak');
  say(`soak: ${minutes} minutes, seed ${seed}`);
  const faults = await soak({ minutes, seed, say });
  for (const fault of faults) say(`  broken: ${fault}`);
  return faults.length === 0 ? 0 : 1;
});

function readOptions() {
  try {
    const { values } = parseArgs({
      options: { minutes: { type: 'string', default: '120' }, seed: { type: 'string', default: '1' } },
    });
    const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
    if (minutes > 0 && Number.isInteger(seed)) return { minutes, seed };
  } catch {
    // said below
  }
  throw new SetupError('expected npm run soak -- [--minutes N] [--seed S], with N above 0 and a whole S.');
}
