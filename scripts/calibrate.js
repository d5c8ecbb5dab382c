#!/usr/bin/env node
// npm run calibrate [-- NAME]: how often the strict score is right where the truth is known, in the worlds whose name holds NAME;
// writes docs/calibration.md. All worlds take about 40 minutes of one core.
import './lib/telemetry-off.js';
import { requireNode } from './lib/node-version.js';

requireNode();
const { readFile, writeFile } = await import('node:fs/promises');
const { describeMachine, readRows, renderSection } = await import('./lib/benchmark-page.js');
const { loadCompiled } = await import('./lib/compiled.js');
const { root } = await import('./lib/paths.js');
const { SetupError, runMain, say } = await import('./lib/setup-error.js');

const PAGE = `${root}docs/calibration.md`;
const HEAD = `# Calibration

Written by \`npm run calibrate\`; \`npm run calibrate -- NAME\` takes the worlds whose name holds NAME anew and leaves the others.
`;

await runMain(async () => {
  const { title, HEADER, NOTES, WORLDS, calibratedRow } = await loadCompiled('calibration');
  const rows = readRows(await readFile(PAGE, 'utf8').catch(() => ''));
  const chosen = WORLDS.filter(({ name }) => name.includes(process.argv[2] ?? ''));
  if (chosen.length === 0)
    throw new SetupError(`no world is named like "${process.argv[2]}": see bench/calibration-worlds.ts.`);
  for (const world of chosen) {
    say(`${world.name}: ${world.runs} runs`);
    const cells = await calibratedRow(world);
    const day = new Date().toISOString().slice(0, 10);
    rows.set(world.name, [...cells, day]);
    const table = [
      [...HEADER, 'taken on'],
      ...WORLDS.flatMap(({ name }) => (rows.has(name) ? [rows.get(name)] : [])),
    ];
    const section = renderSection(title, { table, notes: NOTES }, { machine: describeMachine(), day });
    // after each one, so that an interrupted run keeps what it has
    await writeFile(PAGE, `${HEAD}\n${section}`);
  }
});
