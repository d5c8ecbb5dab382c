#!/usr/bin/env node
// npm run chaos [-- --minutes N --seed S]: breaks the activation stream in every way we know for that long, and compares
// what was sent with what was recorded. The seed repeats a run. Exit status 1 when a promise was broken.
import { requireNode } from './lib/node-version.js';

requireNode();
const { parseArgs } = await import('node:util');
const { describeMachine, renderSection } = await import('./lib/benchmark-page.js');
const { loadCompiled } = await import('./lib/compiled.js');
const { ensureNatsServer } = await import('./lib/nats-server.js');
const { runMain, say, SetupError } = await import('./lib/setup-error.js');

const OPTIONS = { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } };

await runMain(async () => {
  const { minutes, seed } = readOptions();
  process.env.ENTRAIN_NATS_SERVER = await ensureNatsServer({ needed: true });
  const { title, run } = await loadCompiled('chaos');
  say(`${minutes} minutes, seed ${seed}`);
  const result = await run({ minutes, seed });
  const day = new Date().toISOString().slice(0, 10);
  console.log(renderSection(title, result, { machine: describeMachine(), day }));
  for (const failure of result.failures) console.error(`broken: ${failure}`);
  return result.failures.length === 0 ? 0 : 1;
});

function readOptions() {
  const { values } = parse();
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  if (!(minutes > 0))
    throw new SetupError(`--minutes is ${JSON.stringify(values.minutes)}: expected a number above 0.`);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new SetupError(`--seed is ${JSON.stringify(values.seed)}: expected a whole number from 0 on.`);
  return { minutes, seed };
}

function parse() {
  try {
    return parseArgs({ options: OPTIONS });
  } catch (error) {
    throw new SetupError(
      `${error.message.split(/[.\n]/)[0]}: expected npm run chaos -- --minutes N --seed S.`,
    );
  }
}
