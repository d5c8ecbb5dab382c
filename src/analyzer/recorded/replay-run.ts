/**
 * Recomputes published scores from the recording alone: the same rows, the same seed, so the same numbers. A score is
 * compared to the last digit, for on one machine nothing in it is left to chance.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createOrtAlgebra } from '../../compute/ort-algebra.ts';
import { readRecording } from '../../journal/read-recording.ts';
import { systemClock } from '../../process/clock.ts';
import { EntrainError } from '../../protocol/errors.ts';
import type { LinearAlgebra } from '../../synchrony/types.ts';
import { createEpisodeBook, type EpisodeBook } from '../episode-book.ts';
import { applyChange, selectRows, type GroupRows } from '../group-rows.ts';
import { scoreGroup } from '../score-group.ts';
import type { GroupScore } from '../score-messages.ts';
import { turnNumbers, type TurnNumbers } from '../turn-numbers.ts';

/** What is compared of a line of scores.jsonl, and what names its group. */
type ScoreRecord = Pick<GroupScore, 'run' | 'seed' | 'samples' | 'paper' | 'strict' | 'rows'> &
  Pick<GroupScore['group'], 'source' | 'target' | 'direction' | 'condition'>;

export interface ReplayReport {
  scores: number;
  equalScores: number;
  /** One sentence per score that came out otherwise. */
  differences: string[];
  equal: boolean;
}

interface Recorded {
  book: EpisodeBook<TurnNumbers>;
  groups: Map<string, GroupRows>;
}

export async function replayRun(folder: string, options: { lastOnly: boolean }): Promise<ReplayReport> {
  const published = await readScores(folder);
  const scores = options.lastOnly ? lastOfEach(published) : published;
  const recorded = await readGroups(folder);
  // One thread, as the analyzer's: the order of additions is part of the number.
  const algebra = await createOrtAlgebra({ threads: 1 });
  try {
    const differences: string[] = [];
    for (const score of scores) {
      const difference = await replayScore(score, recorded, algebra);
      if (difference !== undefined) differences.push(difference);
    }
    const equalScores = scores.length - differences.length;
    return { scores: scores.length, equalScores, differences, equal: differences.length === 0 };
  } finally {
    await algebra.close();
  }
}

export function replayText({ scores, equalScores, differences }: ReplayReport): string {
  const lines = [...differences, `${equalScores} of ${scores} scores equal what was published`];
  return `${lines.join('\n')}\n`;
}

async function readScores(folder: string): Promise<ScoreRecord[]> {
  const file = join(folder, 'scores.jsonl');
  try {
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as ScoreRecord);
  } catch (cause) {
    throw new EntrainError(
      'RUN_INVALID',
      `The published scores cannot be read (${file}): expected one JSON object a line, as the analyzer writes them.`,
      { cause },
    );
  }
}

const groupName = ({ source, target, direction, condition }: ScoreRecord): string =>
  [source.name, source.sha256, target.name, target.sha256, direction, condition].join('|');

function lastOfEach(scores: ScoreRecord[]): ScoreRecord[] {
  return [...new Map(scores.map((score) => [groupName(score), score])).values()];
}

async function readGroups(folder: string): Promise<Recorded> {
  const book = createEpisodeBook<TurnNumbers>();
  const groups = new Map<string, GroupRows>();
  for await (const { stream, epoch, message } of readRecording(folder)) {
    if (message.type !== 'episode' && message.type !== 'turn') continue;
    const origin = { stream, epoch, seq: message.seq };
    const change =
      message.type === 'episode'
        ? book.addEpisode(message)
        : book.addTurn(message.episode, { turn: message.turn, origin, payload: turnNumbers(message) });
    const episode = book.episode(message.episode);
    if (episode) applyChange(groups, episode, change);
  }
  return { book, groups };
}

/** What differs, as a sentence; undefined when nothing does. */
async function replayScore(
  score: ScoreRecord,
  { book, groups }: Recorded,
  algebra: LinearAlgebra,
): Promise<string | undefined> {
  const name = `${score.source.name} → ${score.target.name}, ${score.direction}, ${score.condition}, ${score.samples} samples`;
  const whole = groups.get(groupName(score));
  const group = whole && onlyRows(whole, score.rows);
  if (!group) return `${name}: the recording lacks rows that the score was computed from`;
  const selection = selectRows(group, book);
  const nowMs = (): number => systemClock.monotonicMs();
  const again = await scoreGroup({ run: score.run, group, selection, algebra, nowMs });
  for (const field of ['seed', 'samples', 'paper', 'strict'] as const) {
    const value: unknown = JSON.parse(JSON.stringify(again[field]));
    if (!isDeepStrictEqual(value, score[field]))
      return `${name}: ${field} was published as ${JSON.stringify(score[field])} and comes out as ${JSON.stringify(value)}`;
  }
  return undefined;
}

/** The group as it stood when the score was computed, or undefined when a row of it is not recorded. */
function onlyRows(group: GroupRows, rows: GroupScore['rows']): GroupRows | undefined {
  const episodes = new Map<string, GroupRows['episodes'] extends Map<string, infer R> ? R : never>();
  for (const [episode, turns] of Object.entries(rows)) {
    const wanted = new Set(turns);
    const found = (group.episodes.get(episode) ?? []).filter(({ sourceTurn }) => wanted.has(sourceTurn));
    if (found.length < turns.length) return undefined;
    episodes.set(episode, found);
  }
  return { ...group, episodes };
}
