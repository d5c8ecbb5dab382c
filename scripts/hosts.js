#!/usr/bin/env node
// node scripts/hosts.js [--turns N]: a service on nine hosts of this machine (network namespaces; root alone): one
// that serves, a standby, a second analyzer, five with an agent each, Prometheus, TLS everywhere, joined by token. Two
// people submit three studies; a host is cut off for 40 s, leader and analyzer are killed, an agent is drained, another
// one joins. All runs must end whole, Prometheus must have seen it all, and nothing that was said may cross the wires
// in the clear. Exit status 1 otherwise.
import './lib/telemetry-off.js';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { capture, layNetwork, removeNetwork } from './lib/network.js';
import { root } from './lib/paths.js';
import { runMain, say, SetupError } from './lib/setup-error.js';
import { startOthers, startService, startWatching, until } from './lib/service-on-hosts.js';
import { watchingFaults } from './lib/watching-host.js';

const { values } = parseArgs({ options: { turns: { type: 'string', default: '160' } } });
const HOSTS = ['hub', 'standby', 'analyzer', 'ada', 'ben', 'cay', 'dan', 'eve', 'prometheus'];
const MODEL = `${root}models/entrain-dialogue-4m`;
const ENTRAIN = [process.execPath, `${root}bin/entrain.js`];
const CUT_MS = 40_000;
const BACK_MS = 10_000;
const LEADS_MS = 10_000;

/** Starts programs on the hosts, with what they said. */
function programs(hosts, folder) {
  const children = [];
  return {
    start: (host, argv, variables = {}) => {
      const { NATS_URL: _, ...environment } = process.env;
      const env = { ...environment, ...variables };
      const child = hosts
        .get(host)
        .start([...ENTRAIN, ...argv], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
      const program = { child, text: '', ended: new Promise((done) => child.once('exit', done)) };
      for (const output of [child.stdout, child.stderr]) output.on('data', (part) => (program.text += part));
      children.push(program);
      return program;
    },
    stop: async () => {
      for (const { child } of children.toReversed()) child.kill('SIGTERM');
      await Promise.race([Promise.all(children.map(({ ended }) => ended)), delay(20_000)]);
      for (const name of HOSTS) for (const pid of hosts.get(name).pids()) process.kill(pid, 'SIGKILL');
    },
  };
}

async function writeStudies(folder) {
  const demo = JSON.parse(await readFile(`${root}studies/demo.json`, 'utf8'));
  const turns = Number(values.turns);
  const small = {
    ...demo,
    branches: undefined,
    scenarios: demo.scenarios.slice(0, 1),
    episodes: 1,
    maxTurns: turns,
    minTurns: turns,
    maxTokens: 12,
  };
  const pairs = { first: ['ada', 'ben'], second: ['cay', 'dan'], third: ['ada', 'ben'] };
  for (const [name, [a, b]] of Object.entries(pairs)) {
    const text = JSON.stringify({ ...small, name })
      .replaceAll('"ada"', `"${a}"`)
      .replaceAll('"ben"', `"${b}"`);
    await writeFile(join(folder, `${name}.json`), text);
  }
  return Object.keys(pairs);
}

const killOn = (host, words) => {
  for (const pid of host.pids()) {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    if (argv[0] !== 'ip' && words.every((word) => argv.includes(word))) process.kill(pid, 'SIGKILL');
  }
};

/** What was said so far, by whichever coordinator wrote it last. */
async function spoken(runs, run) {
  const texts = await Promise.all(
    [runs.hub, runs.standby].map((folder) =>
      readFile(join(folder, run, 'transcript.jsonl'), 'utf8').catch(() => ''),
    ),
  );
  const lines = texts.map((text) => text.split('\n').filter((line) => line.endsWith('}')));
  return lines.toSorted((a, b) => b.length - a.length)[0].map((line) => JSON.parse(line));
}

/** Both coordinators write when they began to lead; a user sees it a little later. */
async function killLeader({ hosts, runs, standby }, ask, figures) {
  const killedMs = Date.now();
  killOn(hosts.get('hub'), ['coordinator']);
  const isLeading = ({ state, program }) => program === 'coordinator' && state === 'leader';
  await until('another leader', async () => (await ask('operator', 'fleet')).programs?.some(isLeading));
  const saidS = (Date.now() - killedMs) / 1000;
  const log = await readFile(join(runs.hub, '.service', 'logs', 'coordinator.log'), 'utf8');
  const lines = `${log}\n${standby.text}`.split('\n');
  const [hasLeaseS, leadsS] = ['has the lease', 'leads the runs'].map((words) => {
    const times = lines.filter((line) => line.includes(`"${words}"`)).map((line) => JSON.parse(line).time);
    return (Math.min(...times.filter((time) => time > killedMs)) - killedMs) / 1000;
  });
  const texts = [hasLeaseS, leadsS, saidS].map((seconds) => seconds.toFixed(1));
  say(
    `after the leader was killed another one has the lease in ${texts[0]} s and leads in ${texts[1]} s; "entrain fleet" says so after ${texts[2]} s`,
  );
  figures.leadsS = leadsS;
}

async function disturb(all, { ask }) {
  const { hosts, runs, join: joins } = all;
  await until(
    'turns',
    async () => (await spoken(runs, 'first')).length >= 6 && (await spoken(runs, 'second')).length >= 6,
  );
  hosts.get('ada').cut();
  await delay(CUT_MS);
  const before = (await spoken(runs, 'first')).length;
  hosts.get('ada').mend();
  const mendedMs = performance.now();
  await until('talk after the cut', async () => (await spoken(runs, 'first')).length > before);
  const figures = { talkAfterCutS: (performance.now() - mendedMs) / 1000 };
  say(`talk goes on ${figures.talkAfterCutS.toFixed(1)} s after the link is back`);
  await killLeader(all, ask, figures);
  killOn(hosts.get('analyzer'), ['--id', 'second']);
  await ask('operator', 'drain', 'dan');
  await joins('eve');
  await until('eve', async () =>
    (await ask('operator', 'fleet')).programs?.some(({ name }) => name === 'eve'),
  );
  return figures;
}

/** @returns what is wrong with a run; the turns of which no analyzer has all frames */
async function faultsOf(all, run, analyzers) {
  const { runs, start, folder } = all;
  const said = await spoken(runs, run);
  const turns = new Set(said.map(({ episode, turn }) => `${episode}/${turn}`));
  const wanted = 2 * Number(values.turns);
  const faults =
    said.length === wanted && turns.size === wanted
      ? []
      : [`${said.length} turns, ${turns.size} different ones`];
  const missing = [];
  for (const analyzer of analyzers) {
    const whole = join(folder, `seen-${analyzer}`, run);
    for (const from of [runs.hub, runs.standby, analyzer === 'second' ? runs.analyzer : runs.hub])
      await cp(join(from, run), whole, { recursive: true, force: true }).catch(() => undefined);
    const one = start('hub', ['verify', whole, '--json']);
    await one.ended;
    const line = one.text.split('\n').find((text) => text.startsWith('{')) ?? '{}';
    missing.push(
      new Set((JSON.parse(line).utterances?.incomplete ?? ['nothing could be verified']).map(String)),
    );
  }
  const lost = [...missing[0]].filter((turn) => missing.every((one) => one.has(turn)));
  return [...faults, ...lost];
}

async function inTheClear(file, runs, names) {
  const frames = await readFile(file);
  const words = [];
  for (const name of names)
    for (const { text } of await spoken(runs, name)) if (text.length >= 12) words.push(text);
  const found = words.filter((text) => frames.includes(text.slice(0, 24)));
  say(
    `${(frames.length / 1e6).toFixed(1)} MB crossed the wires; ${found.length} of ${words.length} utterances are in them`,
  );
  return found.length > 0 || words.length === 0 || frames.length < 1e5
    ? ['words in the clear, or nothing to look through']
    : [];
}

/** Four agents join, and three studies are submitted. @returns the names of the runs */
async function letIn(all, service) {
  const startMs = performance.now();
  for (const name of ['ada', 'ben', 'cay', 'dan']) await all.join(name);
  const isThere = async () => {
    const { programs = [] } = await service.ask('operator', 'fleet');
    return (
      programs.filter(({ program }) => program === 'agent').length === 4 &&
      programs.filter(({ program }) => program === 'analyzer').length === 2
    );
  };
  await until('four agents and two analyzers', isThere);
  say(
    `${all.hosts.size} hosts; four agents joined in ${((performance.now() - startMs) / 1000).toFixed(0)} s`,
  );
  const names = await writeStudies(all.folder);
  for (const name of names)
    await service.ask(
      name === 'second' ? 'submitter-bob' : 'submitter-eva',
      'submit',
      join(all.folder, `${name}.json`),
      '--name',
      name,
    );
  return names;
}

async function play(all) {
  const { hosts, folder, start } = all;
  const service = await startService(all);
  await startOthers(all, service);
  const query = await startWatching(all, service);
  all.join = async (name) => {
    const { token } = await service.ask('operator', 'token');
    const data = join(folder, `joined-${name}`);
    const place = ['--host', hosts.get(name).address, '--data', data];
    start(name, ['join', token, '--model', `${name}=${MODEL}`, ...place]);
  };
  const names = await letIn(all, service);
  const { talkAfterCutS, leadsS } = await disturb(all, service);
  const ended = await awaitEnds(service, names.length);
  const wrong = talkAfterCutS > BACK_MS / 1000 ? [`talk came back after ${talkAfterCutS.toFixed(1)} s`] : [];
  if (leadsS > LEADS_MS / 1000) wrong.push(`a coordinator led again after ${leadsS.toFixed(1)} s`);
  wrong.push(...(await watched(all, query, names)));
  for (const { run, analyzers } of ended) {
    const faults = await faultsOf(all, run, analyzers);
    const state = faults.length === 0 ? 'whole' : faults.slice(0, 3).join('; ');
    say(`${run}: recorded by ${analyzers.join(', then ')}; ${state}`);
    wrong.push(...faults);
  }
  return [...wrong, ...(await inTheClear(all.captured, all.runs, names))];
}

/** @returns what Prometheus has not seen, or should not have said */
async function watched({ hosts }, query, runs) {
  const gone = hosts.get('analyzer').address;
  // Two coordinators, an analyzer, five agents.
  const of = { gone, programs: 8, runs, turns: 2 * Number(values.turns) };
  let wrong = [];
  for (let tries = 0; tries < 12; tries += 1, await delay(5000)) {
    wrong = await watchingFaults(query, of);
    if (wrong.length === 0) break;
  }
  say(
    `Prometheus: ${wrong.length === 0 ? 'all programs up, figures of all runs, one alert, for what was killed' : wrong.join('; ')}`,
  );
  return wrong;
}

/** @returns the runs as users see them, once all have finished */
function awaitEnds({ ask }, count) {
  return until('all runs', async () => {
    const { runs = [] } = await ask('operator', 'runs');
    const failed = runs.find(({ state }) => state === 'failed');
    if (failed) throw new SetupError(`${failed.run} failed: ${failed.reason}`);
    return runs.filter(({ state }) => state === 'finished').length === count ? runs : undefined;
  });
}

await runMain(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-hosts-'));
  const hosts = layNetwork(HOSTS);
  const captured = join(folder, 'frames');
  const capturing = capture(captured);
  const runs = Object.fromEntries(['hub', 'standby', 'analyzer'].map((name) => [name, join(folder, name)]));
  const { start, stop } = programs(hosts, folder);
  try {
    const wrong = await play({ folder, hosts, captured, runs, start, token: join(folder, 'http.token') });
    for (const fault of wrong) say(`wrong: ${fault}`);
    return wrong.length === 0 ? 0 : 1;
  } finally {
    await stop();
    capturing.kill();
    removeNetwork(HOSTS);
    await rm(folder, { recursive: true, force: true });
  }
});
