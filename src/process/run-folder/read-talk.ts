/**
 * The talk of a run: its episodes with who had which role, and their turns, from `run.json`, `events.jsonl` and
 * `transcript.jsonl`.
 */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  eventSchema,
  parseMessage,
  utteranceSchema,
  type RunEvent,
  type RunFacts,
  type Utterance,
} from '../../protocol/nats-messages.ts';
import { EntrainError } from '../../protocol/errors.ts';
import type { Condition } from '../../protocol/study.ts';
import { readLines } from './read-lines.ts';
import { readRunFile } from './run-file.ts';

export interface TalkEpisode {
  id: string;
  scenario: string;
  condition: Condition;
  /** Agents in speaking order, as the episode began. */
  order: string[];
  seed: number;
  startedAtMs: number;
  /** Absent while the episode runs. */
  finish?: 'turns' | 'leave';
  finishedAtMs?: number;
  /** In order, one for each turn. */
  turns: Utterance[];
}

export interface RunTalk {
  folder: string;
  facts: RunFacts;
  episodes: TalkEpisode[];
}

/**
 * The folder of a run: of this name in `runs`, or at this path.
 * @throws EntrainError `RUN_INVALID`
 */
export async function findRunFolder(runs: string, name: string): Promise<string> {
  for (const folder of [join(runs, name), name]) {
    const found = await stat(join(folder, 'run.json')).catch(() => undefined);
    if (found?.isFile()) return folder;
  }
  throw new EntrainError(
    'RUN_INVALID',
    `There is no run "${name}" in ${runs}: expected a folder with run.json in it. Check the name, or give --runs DIR.`,
  );
}

/**
 * The folders of several runs, in this order.
 * @throws EntrainError `RUN_INVALID`; `USAGE` if one is given twice
 */
export async function findRunFolders(runs: string, names: readonly string[]): Promise<string[]> {
  const folders = await Promise.all(names.map((name) => findRunFolder(runs, name)));
  const places = folders.map((folder) => resolve(folder));
  const twice = places.find((place, at) => places.indexOf(place) !== at);
  if (twice !== undefined)
    throw new EntrainError('USAGE', `${twice} is given twice: expected each run once.`);
  return folders;
}

/** @throws EntrainError `RUN_INVALID`, also where a finished episode lacks turns */
export async function readTalk(folder: string): Promise<RunTalk> {
  const facts = await readRunFile(folder);
  if (!facts)
    throw new EntrainError(
      'RUN_INVALID',
      `${join(folder, 'run.json')} is not there: expected the folder of a run.`,
    );
  const about = { code: 'RUN_INVALID', what: 'It' } as const;
  const events = await readLines(join(folder, 'events.jsonl'), (line) =>
    parseMessage(eventSchema, line, about),
  );
  const spoken = await readLines(join(folder, 'transcript.jsonl'), (line) =>
    parseMessage(utteranceSchema, line, about),
  );
  const episodes = new Map<string, TalkEpisode>();
  for (const event of events ?? []) takeEvent(episodes, event);
  for (const utterance of spoken ?? []) takeUtterance(episodes, utterance);
  for (const event of events ?? []) requireWhole(folder, episodes, event);
  return { folder, facts, episodes: [...episodes.values()] };
}

/** What comes of half of the talk must not pass for what came of all of it. */
function requireWhole(folder: string, episodes: ReadonlyMap<string, TalkEpisode>, event: RunEvent): void {
  if (event.type !== 'episode-finished') return;
  const there = episodes.get(event.episode)?.turns.length ?? 0;
  if (there >= event.turns) return;
  throw new EntrainError(
    'RUN_INVALID',
    `Turn ${there} of ${event.episode} is not in ${join(folder, 'transcript.jsonl')}, though the episode has ended with ${event.turns} turns: expected every turn; bring the file back from a backup, "entrain verify" says what else is lacking.`,
  );
}

function takeEvent(episodes: Map<string, TalkEpisode>, event: RunEvent): void {
  if (event.type === 'episode-started') {
    const { episode: id, scenario, condition, order, seed, atMs } = event;
    if (!episodes.has(id))
      episodes.set(id, { id, scenario, condition, order, seed, startedAtMs: atMs, turns: [] });
  } else if (event.type === 'episode-finished') {
    const known = episodes.get(event.episode);
    if (known) Object.assign(known, { finish: event.finish, finishedAtMs: event.atMs });
  }
}

/** Of two lines for one turn the first counts. */
function takeUtterance(episodes: Map<string, TalkEpisode>, utterance: Utterance): void {
  const turns = episodes.get(utterance.episode)?.turns;
  if (turns && utterance.turn === turns.length) turns.push(utterance);
}
