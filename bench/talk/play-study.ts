/** Plays a shipped study by the command that a user would give, and reads the times from what the run recorded. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent, Utterance } from '../../src/protocol/nats-messages.ts';

export interface PlayedStudy {
  episodes: number;
  /** From the start of the first episode to the end of the last. */
  talkSeconds: number;
  /** From the start of the first episode; undefined without scores. */
  firstScoreSeconds: number | undefined;
  /** By `episode/turn`. */
  words: Map<string, string>;
}

interface StudyChoice {
  name: string;
  /** Number of its scenarios to take; all if undefined. */
  scenarios: number | undefined;
  /** False: without its branches. */
  branches?: boolean;
}

/** Writes a shipped study, or less of it; gives the path of its file. */
export async function writeStudy(
  folder: string,
  { name, scenarios, branches = true }: StudyChoice,
): Promise<string> {
  const whole = JSON.parse(await readFile(`studies/${name}.json`, 'utf8')) as Record<string, unknown>;
  const study = { ...whole, scenarios: (whole['scenarios'] as unknown[]).slice(0, scenarios) };
  if (!branches) delete (study as Record<string, unknown>)['branches'];
  const path = join(folder, `${name}${branches ? '' : '-straight'}.json`);
  await writeFile(path, JSON.stringify(study));
  return path;
}

const RUN = 'talk';

export async function playStudy(
  folder: string,
  study: string,
  flags: readonly string[] = [],
): Promise<PlayedStudy> {
  const fixed = ['--study', study, '--run', RUN, '--runs', folder, '--port', '0', '--once'];
  const child = spawn(process.execPath, ['bin/entrain.js', 'start', ...fixed, ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`entrain start ended with status ${status}, expected 0`);
  const events = await readLines<RunEvent>(join(folder, RUN, 'events.jsonl'));
  const scores = await readLines<{ atMs?: number }>(join(folder, RUN, 'scores.jsonl'));
  const said = await readLines<Utterance>(join(folder, RUN, 'transcript.jsonl'));
  await rm(join(folder, RUN), { recursive: true, force: true });
  const timesOf = (type: RunEvent['type']): number[] =>
    events.filter((event) => event.type === type).map(({ atMs }) => atMs);
  const ends = timesOf('episode-finished');
  const start = Math.min(...timesOf('episode-started'));
  const [firstScore] = scores;
  return {
    episodes: ends.length,
    talkSeconds: (Math.max(...ends) - start) / 1000,
    firstScoreSeconds: firstScore?.atMs === undefined ? undefined : (firstScore.atMs - start) / 1000,
    words: new Map(said.map(({ episode, turn, text }) => [`${episode}/${turn}`, text])),
  };
}

async function readLines<T>(path: string): Promise<T[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line.endsWith('}'));
  return lines.map((line) => JSON.parse(line) as T);
}
