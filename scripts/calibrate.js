#!/usr/bin/env node
// npm run calibrate [-- NAME]: how often the scores are right where the truth is known, in the worlds whose name holds
// NAME; writes docs/calibration.md. All worlds take about an hour of one core.
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

/** Modules of bench/, each with a section of the page. */
const MODULES = ['calibration', 'calibration-branches', 'calibration-patching', 'calibration-interchange'];

await runMain(async () => {
  const modules = [];
  // one after the other: each compiles what is not compiled yet
  for (const name of MODULES) modules.push(await loadCompiled(name));
  const part = process.argv[2] ?? '';
  if (!modules.some(({ WORLDS }) => WORLDS.some(({ name }) => name.includes(part))))
    throw new SetupError(`no world is named like "${part}": see WORLDS in bench/calibration*.ts.`);
  for (const { title, HEADER, NOTES, notesOf = () => NOTES, WORLDS, calibratedRow } of modules)
    for (const world of WORLDS.filter(({ name }) => name.includes(part))) {
      say(`${world.name}: ${world.runs} runs`);
      const cells = await calibratedRow(world);
      const day = new Date().toISOString().slice(0, 10);
      // read anew for each world, so that an interrupted run, or two at once, keep what they have
      const page = await readFile(PAGE, 'utf8').catch(() => '');
      const rows = readRows(page).set(world.name, [...cells, day]);
      const table = [
        [...HEADER, 'taken on'],
        ...WORLDS.flatMap(({ name }) => (rows.has(name) ? [rows.get(name)] : [])),
      ];
      const own = renderSection(title, { table, notes: notesOf(rows) }, { machine: describeMachine(), day });
      const sections = modules.map((other) => (other.title === title ? own : sectionOf(page, other.title)));
      await writeFile(PAGE, [HEAD, ...sections.filter((section) => section !== '')].join('\n'));
    }
});

/** A section of the page as it stands; empty where there is none. */
function sectionOf(page, title) {
  const section = page.split(/^(?=## )/m).find((text) => text.startsWith(`## ${title}\n`));
  return section === undefined ? '' : `${section.trimEnd()}\n`;
}
