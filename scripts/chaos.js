#!/usr/bin/env node
// npm run chaos [-- --minutes N | --times N] [--only NAME] [--seed S] [--off] [--write]: breaks a run and its stream in
// every way we know, and compares what was sent with what was recorded. The seed repeats a run. With --off each
// mechanism is switched off in turn and its scenario must fail. --write puts what was found into docs/chaos.md. Exit
// status 1 when it is not as it should be.
import './lib/telemetry-off.js';
import { requireNode } from './lib/node-version.js';

requireNode();
const { readFile, rm, writeFile } = await import('node:fs/promises');
const { parseArgs } = await import('node:util');
const { describeMachine } = await import('./lib/benchmark-page.js');
const { foundRow, offRow, readChaos, renderChaos } = await import('./lib/chaos-page.js');
const { loadCompiled } = await import('./lib/compiled.js');
const { ensureNatsServer } = await import('./lib/nats-server.js');
const { root } = await import('./lib/paths.js');
const { runMain, say, SetupError } = await import('./lib/setup-error.js');
const { copySwitchedOff } = await import('./lib/switched-off.js');

const PAGE = `${root}docs/chaos.md`;
const OPTIONS = {
  minutes: { type: 'string', default: '10' },
  times: { type: 'string' },
  only: { type: 'string', default: '' },
  seed: { type: 'string' },
  off: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
};

await runMain(async () => {
  const options = readOptions();
  process.env.ENTRAIN_NATS_SERVER = await ensureNatsServer({ needed: true });
  const chaos = await loadCompiled('chaos');
  const names = chaos.namesWith(options.only);
  if (names.length === 0) throw new SetupError(`no scenario is named like "${options.only}".`);
  let wrong = 0;
  for (const name of names) {
    const row = options.off ? await playOff(chaos, name, options) : await playOn(chaos, name, options);
    const broken = row.failures.length > 0;
    if (broken !== options.off) wrong += 1;
    say(`${name}: ${row.size}; ${row.figures}; lost ${row.lost ?? '–'}, doubled ${row.doubled ?? '–'}`);
    for (const failure of row.failures) say(`  broken: ${failure}`);
    if (options.write) await writeRow(chaos, row, options);
  }
  return wrong === 0 ? 0 : 1;
});

function playOn(chaos, name, { minutes, times, seed }) {
  return chaos.play(name, { times: times ?? chaos.timesIn(name, minutes), seed });
}

/** From a copy of the program, and in its folder, so that the programs it starts are of the copy too. */
async function playOff(chaos, name, { times, seed }) {
  const folder = await copySwitchedOff(chaos.switchOff(name));
  try {
    process.chdir(folder);
    const copy = await import(`${folder}/dist/bench/chaos.js`);
    return await copy.play(name, { times: times ?? chaos.timesOff(name), seed });
  } finally {
    process.chdir(root);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Row by row, so that a long run that is cut off leaves what it had found. */
async function writeRow(chaos, row, { seed, off }) {
  const rows = readChaos(await readFile(PAGE, 'utf8').catch(() => ''));
  const day = new Date().toISOString().slice(0, 10);
  const known = rows.get(row.scenario);
  const cells = off
    ? offRow(known, row, { what: chaos.switchOff(row.scenario).what, day })
    : foundRow(known, row, { seed, day });
  rows.set(row.scenario, cells);
  const inOrder = chaos.namesWith('').filter((name) => rows.has(name));
  await writeFile(
    PAGE,
    renderChaos(new Map(inOrder.map((name) => [name, rows.get(name)])), describeMachine()),
  );
}

function readOptions() {
  const { values } = parse();
  const { minutes, times, seed } = values;
  return {
    ...values,
    minutes: number('--minutes', minutes),
    times: times === undefined ? undefined : number('--times', times),
    seed: seed === undefined ? Math.floor(Math.random() * 2 ** 31) : number('--seed', seed),
  };
}

function number(flag, text) {
  if (Number(text) >= 0) return Number(text);
  throw new SetupError(`${flag} is ${JSON.stringify(text)}: expected a number from 0 on.`);
}

function parse() {
  try {
    return parseArgs({ options: OPTIONS });
  } catch (error) {
    throw new SetupError(
      `${error.message.split(/[.\n]/)[0]}: expected npm run chaos -- [--minutes N | --times N] [--only NAME] [--seed S] [--off] [--write].`,
    );
  }
}
