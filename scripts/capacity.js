#!/usr/bin/env node
// node scripts/capacity.js [--seconds N]: measures by `entrain load` what an analyzer takes here, and writes
// docs/capacity.md. Linux alone: processor time and memory of the analyzers come from /proc.
import './lib/telemetry-off.js';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, parseArgs } from 'node:util';
import { describeMachine } from './lib/benchmark-page.js';
import { capacityPage } from './lib/capacity-page.js';
import { MANY_RUNS_HEADING } from './lib/many-runs-section.js';
import { findSection, replaceSection } from './lib/page-section.js';
import { root } from './lib/paths.js';
import { runMain, say } from './lib/setup-error.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } });
const SECONDS = Number(values.seconds);
const ENTRAIN = join(root, 'bin/entrain.js');
const TICKS_PER_S = 100;
/** A model of 12 layers and 768 dimensions, as GPT-2 and its like have. */
const MODEL = ['--layers', '12', '--dims', '768'];
const run = promisify(execFile);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

async function startAnalyzer(folder) {
  const port = await freePort();
  const own = await mkdtemp(join(folder, 'analyzer-'));
  const flags = [
    '--no-nats',
    '--port',
    String(port),
    '--runs',
    own,
    '--public-key',
    join(folder, 'stream-public.pem'),
  ];
  const child = spawn(process.execPath, [ENTRAIN, 'analyzer', ...flags], {
    env: { ...process.env, ENTRAIN_LOG: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const isUp = () =>
    fetch(`http://127.0.0.1:${port}/healthz`)
      .then(({ ok }) => ok)
      .catch(() => false);
  for (let tries = 0; !(await isUp()); tries += 1) {
    if (tries > 600) throw new Error('the analyzer did not start');
    await new Promise((again) => setTimeout(again, 100));
  }
  return { child, url: `ws://127.0.0.1:${port}/stream` };
}

async function figuresOf({ child }) {
  const stat = (await readFile(`/proc/${child.pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  const residentBytes = Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024;
  return { cpuS: (Number(stat[11]) + Number(stat[12])) / TICKS_PER_S, residentBytes };
}

/** Load on new analyzers, an equal share each, and what it cost them. */
async function measure(folder, load) {
  const analyzers = await Promise.all(Array.from({ length: load.analyzers }, () => startAnalyzer(folder)));
  try {
    const before = await Promise.all(analyzers.map(figuresOf));
    const answers = await Promise.all(analyzers.map(({ url }) => sendLoad(folder, url, load)));
    const after = await Promise.all(analyzers.map(figuresOf));
    const cpuS = after.reduce((all, one, i) => all + one.cpuS - before[i].cpuS, 0);
    const residentBytes = after.reduce((all, one) => all + one.residentBytes, 0);
    return { ...load, ...summed(answers), cpuS, residentBytes };
  } finally {
    for (const { child } of analyzers) {
      child.kill('SIGKILL');
      await new Promise((ended) => child.once('exit', ended));
    }
  }
}

async function sendLoad(folder, url, { analyzers, agents, rate, branches }) {
  const size = ['--agents', String(agents / analyzers), '--rate', String(rate), '--seconds', String(SECONDS)];
  const flags = [
    '--url',
    url,
    '--private-key',
    join(folder, 'stream-private.pem'),
    ...MODEL,
    ...size,
    '--json',
  ];
  const argv = [ENTRAIN, 'load', ...flags, ...(branches ? ['--branches'] : [])];
  // It ends with 1 where frames were not acknowledged in time, and says so in its answer.
  const { stdout } = await run(process.execPath, argv).catch((error) => error);
  return JSON.parse(stdout);
}

function summed(answers) {
  const sum = (of) => answers.reduce((all, one) => all + of(one), 0);
  return {
    framesPerS: sum((one) => one.framesPerS),
    megabytesPerS: sum((one) => one.megabytesPerS),
    frames: sum((one) => one.frames),
    p50Ms: Math.max(...answers.map((one) => one.latencyMs.p50)),
    p99Ms: Math.max(...answers.map((one) => one.latencyMs.p99)),
    leftOut: sum((one) => one.shed + 2 * one.lateTokens),
    acknowledged: answers.every((one) => one.acknowledged),
  };
}

await runMain(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-capacity-'));
  try {
    await run(process.execPath, [ENTRAIN, 'keys', folder]);
    const load = loadavg()[0];
    const rows = [];
    for (const one of [
      { analyzers: 1, agents: 2, rate: 20 },
      { analyzers: 1, agents: 20, rate: 20 },
      { analyzers: 1, agents: 20, rate: 20, branches: true },
      { analyzers: 1, agents: 20, rate: 400 },
      { analyzers: 2, agents: 20, rate: 400 },
    ]) {
      say(`${one.analyzers} analyzer, ${one.agents} agents, ${one.rate} tokens a second`);
      rows.push(await measure(folder, one));
      say(JSON.stringify(rows.at(-1)));
    }
    const day = new Date().toISOString().slice(0, 10);
    const file = join(root, 'docs/capacity.md');
    const kept = findSection(await readFile(file, 'utf8'), MANY_RUNS_HEADING);
    const page = capacityPage(rows, { machine: describeMachine(), day, load, seconds: SECONDS });
    await writeFile(file, kept === undefined ? page : replaceSection(page, kept));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
