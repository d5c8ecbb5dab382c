/**
 * A whole run of the real programs, one of which is killed again and again: it must say word for word what an undisturbed
 * run of the same study says, and be recorded whole.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { verifyRun } from '../../src/analyzer/recorded/verify-run.ts';
import { writeSmallStudy } from '../../test/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../../test/fleet.ts';
import { pause } from './programs.ts';
import type { Outcome, ScenarioOptions } from './scenarios.ts';

const NAME = 'coordinator killed in one run';
/** Two conditions of eight scenarios with eight turns each. */
const STUDY = { scenarios: 8, episodes: 1, maxTurns: 8, maxTokens: 8 };
const TURNS = 8 * 2 * 8;
/** An undisturbed run, and what a kill may cost. */
const PEACE_MS = 120_000;
const KILL_MS = 8000;

interface Played {
  lines: string[];
  kills: number;
  faults: string[];
}

export async function killCoordinator({ times, random }: ScenarioOptions): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-chaos-'));
  try {
    const study = await writeSmallStudy(folder, STUDY);
    const play = (run: string, kills: number): Promise<Played> =>
      playRun({ folder: join(folder, run), study, run, kills, random });
    const peace = await play('peace', 0);
    const war = await play('war', times);
    const other = war.lines.filter((line, i) => line !== peace.lines[i]).length;
    const failures = [...peace.faults, ...war.faults].map((fault) => `${NAME}: ${fault}`);
    if (other > 0 || war.lines.length !== peace.lines.length)
      failures.push(`${NAME}: ${war.lines.length} turns, ${other} of them unlike the undisturbed run`);
    if (war.kills < times) failures.push(`${NAME}: only ${war.kills} kills before the run ended`);
    const figures = `${war.kills} kills; ${war.lines.length} turns, ${other} unlike the undisturbed run with the same seeds`;
    const lost = Math.max(0, peace.lines.length - war.lines.length);
    return { name: NAME, figures, lost, doubled: doubledTurns(war.lines), failures };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const doubledTurns = (lines: string[]): number =>
  lines.length - new Set(lines.map((line) => line.split(' ')[0])).size;

async function playRun(options: {
  folder: string;
  study: string;
  run: string;
  kills: number;
  random: () => number;
}): Promise<Played> {
  const { folder, study, run, kills, random } = options;
  const fleet = await createFleet({ folder, study, run, agents: ['ada', 'ben'] });
  try {
    for (const program of ['analyzer', 'agent-ada', 'agent-ben', 'coordinator'] as const)
      await fleet.start(program);
    const done = await disturb(fleet, { run, kills, random });
    const late = delay(PEACE_MS, 'not at all', { ref: false });
    const status = await Promise.race([fleet.ended('coordinator'), late]);
    const faults = status === 0 ? [] : [`the run ended with status ${String(status)}`];
    faults.push(...(await recordingFaults(join(fleet.runs, run))));
    const transcript = await readTranscript(fleet.runs, run);
    const lines = transcript.map(
      ({ episode, turn, agent, text, finish }) => `${episode}/${turn} ${agent}: ${text} (${finish})`,
    );
    return { lines, kills: done, faults };
  } finally {
    await fleet.close();
  }
}

/** A kill at evenly spread points of the run, moved a little by chance; the program starts again at once. */
async function disturb(
  fleet: Fleet,
  { run, kills, random }: { run: string; kills: number; random: () => number },
): Promise<number> {
  const deadlineMs = performance.now() + PEACE_MS + kills * KILL_MS;
  let done = 0;
  for (; done < kills; done += 1) {
    const wanted = Math.floor(((TURNS - 4) * (done + random())) / kills);
    while ((await readTranscript(fleet.runs, run)).length < wanted) {
      if (performance.now() > deadlineMs) return done;
      await pause(20);
    }
    await fleet.kill('coordinator');
    await fleet.start('coordinator');
    await pause(random() * 1500);
  }
  return done;
}

/** The last frames may still be on their way when the coordinator ends. */
async function recordingFaults(folder: string): Promise<string[]> {
  const deadlineMs = performance.now() + 30_000;
  for (;;) {
    // A run that never began has nothing to read.
    const { faults, utterances } = await verifyRun(folder).catch((error: Error) => ({
      faults: [error.message],
      utterances: undefined,
    }));
    const missing = utterances?.incomplete ?? ['no transcript'];
    if (faults.length + missing.length === 0) return [];
    if (performance.now() > deadlineMs) return [...faults, ...missing];
    await pause(200);
  }
}
