#!/usr/bin/env node
// node scripts/many-runs.js [--runs N] [--every N] [--minutes N] [--write [--note TEXT]]: a day of a service
// compressed into short runs. Prints a row of figures after each EVERY runs; with --write they stand in
// docs/capacity.md. Exit status 1 if a run failed or never ended, or if something grew. Linux alone: memory and open
// files come from /proc.
import './lib/telemetry-off.js';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from './lib/benchmark-page.js';
import { loadCompiled } from './lib/compiled.js';
import { flatness } from './lib/flatness.js';
import { manyRunsSection } from './lib/many-runs-section.js';
import { replaceSection } from './lib/page-section.js';
import { ensureNatsServer } from './lib/nats-server.js';
import { root } from './lib/paths.js';
import { runMain, say } from './lib/setup-error.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '500' },
    every: { type: 'string', default: '25' },
    minutes: { type: 'string', default: '600' },
    write: { type: 'boolean', default: false },
    note: { type: 'string' },
  },
});

await runMain(async () => {
  process.env.ENTRAIN_NATS_SERVER = await ensureNatsServer({ needed: true });
  const { playMany } = await loadCompiled('many-runs');
  const rows = await playMany({
    runs: Number(values.runs),
    every: Number(values.every),
    minutes: Number(values.minutes),
    onRow: (row) => say(JSON.stringify(row)),
  });
  const grown = flatness(rows);
  for (const line of grown) say(line);
  const last = rows.at(-1);
  say(
    `${last.finished} runs finished, ${last.failed} failed, ${last.stuck} without an end, in ${Math.round(last.seconds)} s`,
  );
  if (values.write) await write(rows, grown);
  return last.failed + last.stuck === 0 && grown.length === 0 ? 0 : 1;
});

async function write(rows, grown) {
  const page = join(root, 'docs/capacity.md');
  const day = new Date().toISOString().slice(0, 10);
  const section = manyRunsSection(rows, { grown, machine: describeMachine(), day, note: values.note });
  await writeFile(page, replaceSection(await readFile(page, 'utf8'), section));
}
