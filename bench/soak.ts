/**
 * `npm run soak`: an agent plays sixteen episodes at once for long, while its partner and the coordinator are killed
 * at random and started again. What was said is compared with a run beside it that nothing disturbs.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFleet, readTranscript, type Fleet, type Program } from '../test/fixtures/programs/fleet.ts';
import { writeSmallStudy } from '../test/fixtures/programs/demo.ts';
import { seededRandom } from '../test/fixtures/seeded-random.ts';

interface SoakOptions {
  minutes: number;
  seed: number;
  /** Called with the figures so far, every minute. */
  say(text: string): void;
}

/** So many episodes that none of the runs comes to its end. */
const SIZE = { scenarios: 10, episodes: 2000, maxTurns: 12, maxTokens: 24 };
/** The larger one: the smaller says so much in two hours that a coordinator spends them reading it again. */
const MODEL = 'models/entrain-dialogue-8m';
const AGENTS = ['ada', 'ben'];
/** Ben is never killed: his memory is looked at. */
const KILLED: readonly Program[] = ['agent-ada', 'agent-ada', 'coordinator'];
const DISTURBED_AT_ONCE = 16;
const QUIET_AT_ONCE = 3;
/** Seconds between two kills. */
const KILL_AFTER = { least: 20, most: 60 };
const LOOK_MS = 5000;
const TELL_MS = 60_000;
/** On a machine with other work the agents may be long in coming. */
const COORDINATOR_FLAGS = ['--wait-seconds', '600'];
const PROGRAMS: readonly Program[] = ['analyzer', 'agent-ada', 'agent-ben', 'coordinator'];
const RUNS = Promise.resolve('runs');
/** Characters of what a program said. */
const MOST_SAID = 1000;
/** Growth from the second quarter of the looks to the last that still counts as flat. */
const FLAT = 1.1;

/** @returns what was not as it should be */
export async function soak({ minutes, seed, say }: SoakOptions): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-soak-'));
  try {
    const study = await writeSmallStudy(folder, SIZE);
    const [disturbed, quiet] = await Promise.all([
      startPlaying(folder, study, DISTURBED_AT_ONCE),
      startPlaying(folder, study, QUIET_AT_ONCE),
    ]);
    const both = { disturbed, quiet };
    try {
      const endMs = performance.now() + minutes * 60_000;
      await Promise.all([
        killUntil(disturbed, endMs, seededRandom(seed)),
        lookUntil(disturbed, endMs),
        restartUntil(disturbed, endMs),
        restartUntil(quiet, endMs),
        tellUntil(both, endMs, say),
      ]);
      return await faultsOf(both);
    } finally {
      await Promise.all([disturbed.fleet.close(), quiet.fleet.close()]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Both {
  disturbed: Played;
  quiet: Played;
}

/** Says what came out so far, every minute and at the end: a soak that is cut off has its figures. */
async function tellUntil(both: Both, endMs: number, say: (text: string) => void): Promise<void> {
  const startMs = performance.now();
  while (performance.now() < endMs) {
    await wait(Math.min(TELL_MS, endMs - performance.now()));
    const { turns, common, different } = await compare(both);
    const { kills, looks, ends } = both.disturbed;
    const minute = Math.round((performance.now() - startMs) / 60_000);
    say(
      `minute ${minute}: ${turns} turns, ${common} of them in both runs, ${different.length} with other words; ` +
        `${kills} kills, ${ends.length + both.quiet.ends.length} ends of their own; memory of ben ${quarter(looks, 1)} → ${quarter(looks, 3)} MiB, now ${looks.at(-1)}`,
    );
  }
}

async function faultsOf(both: Both): Promise<string[]> {
  const { common, different } = await compare(both);
  const { looks } = both.disturbed;
  const [before, after] = [quarter(looks, 1), quarter(looks, 3)];
  return [
    ...(common === 0 ? ['no turn was said in both runs'] : []),
    ...different.map((turn) => `${turn} has other words`),
    ...(after > FLAT * before ? [`the memory of ben grew from ${before} to ${after} MiB`] : []),
  ];
}

/** @returns the turns of the disturbed run, how many of them the quiet one has too, and which of those differ */
async function compare({
  disturbed,
  quiet,
}: Both): Promise<{ turns: number; common: number; different: string[] }> {
  const [found, expected] = await Promise.all([wordsOf(disturbed), wordsOf(quiet)]);
  const common = [...found].filter(([turn]) => expected.has(turn));
  const different = common.filter(([turn, words]) => expected.get(turn) !== words);
  return { turns: found.size, common: common.length, different: different.map(([turn]) => turn) };
}

/** Words and way of ending by `episode/turn`. */
async function wordsOf({ fleet, run }: Played): Promise<Map<string, string>> {
  const said = await readTranscript(fleet.runs, run);
  return new Map(said.map((line) => [`${line.episode}/${line.turn}`, `${line.text} (${line.finish})`]));
}

interface Played {
  fleet: Fleet;
  run: string;
  /** So far. */
  kills: number;
  /** Programs that ended by themselves, as a service manager would see it, and were started again. */
  ends: Program[];
  /** Resident memory of ben in MiB. */
  looks: number[];
}

async function startPlaying(folder: string, study: string, atOnce: number): Promise<Played> {
  const run = `soak-${atOnce}`;
  const fleet = await createFleet({
    folder: join(folder, run),
    study,
    run,
    agents: AGENTS,
    models: Object.fromEntries(AGENTS.map((id) => [id, MODEL])),
    agentFlags: ['--at-once', String(atOnce)],
    coordinatorFlags: COORDINATOR_FLAGS,
  });
  for (const program of PROGRAMS) await fleet.start(program);
  return { fleet, run, kills: 0, ends: [], looks: [] };
}

async function killUntil(played: Played, endMs: number, random: () => number): Promise<void> {
  const { fleet } = played;
  for (;;) {
    const seconds = KILL_AFTER.least + random() * (KILL_AFTER.most - KILL_AFTER.least);
    const before = await turnsOf(played);
    // Not before they go on: a machine may take longer to start them than it takes us to kill them.
    while (performance.now() < endMs && (await turnsOf(played)) === before) await wait(LOOK_MS);
    if (performance.now() + seconds * 1000 > endMs) return;
    await wait(seconds * 1000);
    const program = KILLED[Math.floor(random() * KILLED.length)] as Program;
    await fleet.kill(program);
    await fleet.start(program);
    played.kills++;
  }
}

const turnsOf = async (played: Played): Promise<number> => (await wordsOf(played)).size;

/** Starts again what ended by itself: on a machine with much other work NATS may be too slow for a coordinator. */
async function restartUntil({ fleet, ends }: Played, endMs: number): Promise<void> {
  while (performance.now() < endMs) {
    await wait(LOOK_MS);
    for (const program of PROGRAMS) {
      const status = await Promise.race([fleet.ended(program), RUNS]);
      // Who was killed has no status, and is started again by who killed it.
      if (typeof status !== 'number') continue;
      ends.push(program);
      process.stderr.write(`${program} ended: ${fleet.said(program).slice(-MOST_SAID)}\n`);
      await fleet.start(program);
    }
  }
}

async function lookUntil({ fleet, looks }: Played, endMs: number): Promise<void> {
  while (performance.now() < endMs) {
    await wait(LOOK_MS);
    const status = await readFile(`/proc/${fleet.pid('agent-ben')}/status`, 'utf8').catch(() => '');
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
    if (kilobytes !== undefined) looks.push(Math.round(Number(kilobytes) / 1024));
  }
}

/** Median of the `n`-th quarter, from 0. */
function quarter(looks: readonly number[], n: number): number {
  const part = looks.slice((n * looks.length) / 4, ((n + 1) * looks.length) / 4).toSorted((a, b) => a - b);
  return part[part.length >> 1] ?? Number.NaN;
}

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
