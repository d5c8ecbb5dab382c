#!/usr/bin/env node
// npm run bench [-- NAME]: runs the benchmarks whose name holds NAME and writes their sections of docs/benchmarks.md.
// Those of a quarter of an hour and more run only by name.
import './lib/telemetry-off.js';
import { requireNode } from './lib/node-version.js';

requireNode();
const { readFile, writeFile } = await import('node:fs/promises');
const { describeMachine, readSections, renderPage, renderSection } = await import('./lib/benchmark-page.js');
const { listBenchmarks, loadCompiled } = await import('./lib/compiled.js');
const { root } = await import('./lib/paths.js');
const { runMain, say } = await import('./lib/setup-error.js');
const { ensureNatsServer } = await import('./lib/nats-server.js');

const PAGE = `${root}docs/benchmarks.md`;

await runMain(async () => {
  process.env.ENTRAIN_NATS_SERVER = await ensureNatsServer({ needed: true });
  const sections = readSections(await readFile(PAGE, 'utf8').catch(() => ''));
  for (const name of await listBenchmarks(process.argv[2] ?? '')) {
    const { title, run, isLong } = await loadCompiled(`${name}.bench`);
    if (isLong && process.argv[2] === undefined) {
      say(`${name}: takes long; npm run bench -- ${name}`);
      continue;
    }
    say(`${name}: ${title}`);
    const report = await run();
    const section = renderSection(title, report, {
      machine: describeMachine(),
      day: new Date().toISOString().slice(0, 10),
    });
    console.log(section);
    // what this machine has nothing to say of stays as it is on the page
    if (report.isForPage === false) continue;
    sections.set(name, section);
    // after each one, so that an interrupted run keeps what it has
    await writeFile(PAGE, renderPage(sections));
  }
});
