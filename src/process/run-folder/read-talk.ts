/**
 * The talk of a run: its episodes with who had which role, and their turns, from `run.json`, `events.jsonl` and
 * `transcript.jsonl`.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
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
  const twice = folders.find((folder, at) => folders.indexOf(folder) !== at);
  if (twice !== undefined)
    throw new EntrainError('USAGE', `${twice} is given twice: expected each run once.`);
  return folders;
}

/** @throws EntrainError `RUN_INVALID` */
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
  return { folder, facts, episodes: [...episodes.values()] };
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
