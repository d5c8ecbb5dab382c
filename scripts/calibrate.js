#!/usr/bin/env node
// npm run calibrate: how often the strict score is right where the truth is known; writes docs/calibration.md. Minutes.
import { requireNode } from './lib/node-version.js';

requireNode();
const { writeFile } = await import('node:fs/promises');
const { describeMachine, renderSection } = await import('./lib/benchmark-page.js');
const { loadCompiled } = await import('./lib/compiled.js');
const { root } = await import('./lib/paths.js');
const { runMain, say } = await import('./lib/setup-error.js');

const HEAD = '# Calibration\n\nWritten by `npm run calibrate`.\n';

await runMain(async () => {
  const { title, run } = await loadCompiled('calibration');
  say(title);
  const section = renderSection(title, await run(), {
    machine: describeMachine(),
    day: new Date().toISOString().slice(0, 10),
  });
  console.log(section);
  await writeFile(`${root}docs/calibration.md`, `${HEAD}\n${section}`);
});
