#!/usr/bin/env node
// npm run images [-- --run FOLDER] [--only NAME]: takes the pictures of the viewer in docs/images anew. Plays the demo
// study to its end, or shows the finished run in FOLDER; then plays the study with three agents until it shows who
// moves whom. Needs Chromium.
import './lib/telemetry-off.js';
import { requireNode } from './lib/node-version.js';

requireNode();
const { spawn } = await import('node:child_process');
const { once } = await import('node:events');
const { mkdtemp, readFile, rm, writeFile } = await import('node:fs/promises');
const { tmpdir } = await import('node:os');
const { basename, dirname, join, resolve } = await import('node:path');
const { createInterface } = await import('node:readline');
const { parseArgs } = await import('node:util');
const { findPrograms, runCommand } = await import('./lib/command.js');
const { ensurePackages } = await import('./lib/packages.js');
const { root } = await import('./lib/paths.js');
const { runMain, say, SetupError } = await import('./lib/setup-error.js');
const { IMAGES, telling, withThird } = await import('./lib/viewer-images.js');

const FREE_PORTS = ['--port', '0', '--view-port', '0'];
/** How long the three may talk until the page shows an effect of each on each. */
const TALK_MS = 60 * 60_000;

await runMain(async () => {
  const { values } = parseArgs({ options: { run: { type: 'string' }, only: { type: 'string' } } });
  const images = IMAGES.filter(({ name }) => values.only === undefined || name === values.only);
  if (images.length === 0)
    throw new SetupError(
      `no picture is named "${values.only}": they are ${IMAGES.map(({ name }) => name).join(', ')}.`,
    );
  await ensurePackages();
  const folder = await mkdtemp(join(tmpdir(), 'entrain-images-'));
  const browser = await openBrowser();
  try {
    const of = (kind) => images.filter((image) => image.of === kind);
    if (of('finished').length > 0)
      await showFinished(browser, of('finished'), values.run ?? (await playDemo(folder)));
    if (of('running').length > 0) await showRunning(browser, of('running'), folder);
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
  return 0;
});

async function openBrowser() {
  const { chromium } = await import('playwright-core');
  const names = ['chromium-headless-shell', 'chromium', 'google-chrome'];
  const found = (await Promise.all(names.map(findPrograms))).flat();
  if (found.length === 0)
    throw new SetupError('no Chromium is on PATH; install it, as npm test does on Debian.');
  return chromium.launch({ executablePath: found[0], args: ['--no-sandbox', '--disable-gpu'] });
}

/** @returns the run folder */
async function playDemo(runs) {
  const flags = ['--once', '--run', 'first', '--runs', runs, ...FREE_PORTS];
  const { status } = await runCommand(process.execPath, [join(root, 'scripts/start.js'), ...flags]);
  if (status !== 0)
    throw new SetupError(`the demo study ended with status ${status}; see what it said above.`);
  return join(runs, 'first');
}

/** A program of ours whose output says where the viewer is. */
async function startShowing(script, args) {
  const child = spawn(process.execPath, [join(root, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGINT');
    await once(child, 'close');
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/[^/\s]+(?=\/\S*\bviewer|\/\?run=|$)/.exec(line)?.[0];
    if (url === undefined) continue;
    // What nobody reads would stop the program once the pipe is full.
    setImmediate(() => child.stdout.resume());
    return { url, stop };
  }
  throw new SetupError(`${script} ended before its viewer was there; see what it said above.`);
}

async function showFinished(browser, images, run) {
  const [runs, name] = [dirname(resolve(run)), basename(resolve(run))];
  await runCommand(process.execPath, [join(root, 'scripts/build.js')]);
  const viewer = await startShowing('bin/entrain.js', ['view', name, '--runs', runs, '--port', '0']);
  try {
    const { episode, turn } = await tellingTurn(viewer.url, name);
    for (const image of images) {
      const page = await open(browser, image, `${viewer.url}/?run=${name}#${episode}/t${turn + 1}`);
      await page.locator('.bubble.named').waitFor();
      if (image.isOpened) await page.locator('.bubble.named summary').click();
      // A phone shows the page from its top; the place in it is of no account there.
      else await page.evaluate('scrollTo(0, 0)');
      await save(page, image);
    }
  } finally {
    await viewer.stop();
  }
}

async function tellingTurn(url, run) {
  const ask = async (path) => (await fetch(`${url}/api/${path}`)).json();
  const { talks } = await ask(`run?run=${run}`);
  const live = talks.filter(({ condition }) => condition === 'live');
  const found = await Promise.all(
    live.map(async ({ episode }) => ({
      episode,
      words: await ask(`words?run=${run}&episode=${episode}`),
      effects: await ask(`effects?run=${run}&episode=${episode}`),
    })),
  );
  const turn = telling(found);
  if (turn === undefined) throw new SetupError(`no turn of ${run} has alternatives that moved a listener.`);
  return turn;
}

async function showRunning(browser, images, folder) {
  const demo = JSON.parse(await readFile(join(root, 'studies/demo.json'), 'utf8'));
  const file = join(folder, 'three.json');
  await writeFile(file, JSON.stringify(withThird(demo)));
  const flags = ['--once', '--study', file, '--run', 'three', '--runs', folder, ...FREE_PORTS];
  const { url, stop } = await startShowing('scripts/start.js', flags);
  try {
    for (const image of images) {
      const page = await open(browser, image, `${url}/?run=three`);
      const arrows = page.locator('.who-graph .arrow:not(.pale)');
      say('waiting until the page shows who moves whom');
      await arrows.nth(5).waitFor({ timeout: TALK_MS });
      await page.locator('.speaking').waitFor();
      await save(page, image);
    }
  } finally {
    await stop();
  }
}

async function open(browser, { width, height, colorScheme }, url) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(url);
  return page;
}

async function save(page, { name }) {
  const path = join(root, `docs/images/${name}.png`);
  await page.mouse.move(0, 0);
  await page.screenshot({ path, animations: 'disabled' });
  say(path);
  await page.close();
}
