/**
 * Judges all episodes of a run, a few at a time. An episode that cannot be judged stays unscored and is counted; the
 * others continue.
 */
import { DIMENSIONS, type Dimension, type JudgeAnswer } from '../../protocol/outcomes.ts';
import type { OutcomeLine } from '../../protocol/outcomes.ts';
import type { RunTalk, TalkEpisode } from '../../process/run-folder/read-talk.ts';
import { mapAtOnce } from '../map-at-once.ts';
import { openAnswerCache } from './answer-cache.ts';
import { askJudge, type Judged, type JudgeSettings, type JudgeTools } from './ask-judge.ts';
import { PROMPT_SHA256, type JudgedTalk } from './prompt.ts';
import { createTokenBudget } from './token-budget.ts';

export interface JudgeJob {
  settings: JudgeSettings;
  /** Most tokens of all requests together. */
  budgetTokens: number;
  /** Episodes that are asked about at the same time. */
  atOnce: number;
  nowMs(): number;
  say(text: string): void;
}

export interface JudgeReport {
  lines: OutcomeLine[];
  episodes: number;
  scored: number;
  fromCache: number;
  tokens: number;
  /** Number of unscored episodes by reason. */
  unscored: Map<string, number>;
}

export async function judgeRun(
  talk: RunTalk,
  episodes: readonly TalkEpisode[],
  job: JudgeJob,
): Promise<JudgeReport> {
  const budget = createTokenBudget(job.budgetTokens);
  const tools = { settings: job.settings, budget, cache: openAnswerCache(talk.folder) };
  const judged = await judgeAll(
    episodes.map((episode) => judgedTalk(talk, episode)),
    tools,
    job,
  );
  const about = { run: talk.facts.run, atMs: job.nowMs() };
  const judge = { model: job.settings.model, promptSha256: PROMPT_SHA256 };
  const lines = judged.flatMap((found, at): OutcomeLine[] => {
    const { id: episode, order } = episodes[at] as TalkEpisode;
    if ('reason' in found)
      return [{ type: 'unscored', ...about, episode, source: 'judge', judge, reason: found.reason }];
    return valuesOf(found.answer, order).map((value) => ({
      type: 'outcome',
      ...about,
      episode,
      ...value,
      source: 'judge',
      judge,
    }));
  });
  return { lines, tokens: budget.taken(), ...countsOf(judged) };
}

/** Results in order of the episodes. After a final failure no further request is sent. */
async function judgeAll(
  talks: readonly JudgedTalk[],
  tools: JudgeTools,
  { atOnce, say }: Pick<JudgeJob, 'atOnce' | 'say'>,
): Promise<Judged[]> {
  let done = 0;
  let final: Judged | undefined;
  return mapAtOnce(talks, atOnce, async (talk) => {
    const found = final ?? (await askJudge(talk, tools));
    if ('reason' in found && found.final) final = found;
    say(`judged ${(done += 1)} of ${talks.length} episodes`);
    return found;
  });
}

function judgedTalk({ facts }: RunTalk, { scenario: id, turns, order }: TalkEpisode): JudgedTalk {
  const scenario = facts.study.scenarios.find((one) => one.id === id);
  return {
    scenario: scenario ?? { text: '', people: [] },
    turns: turns.map(({ text, finish }) => ({ text, absent: finish === 'absent' })),
    speakers: order.length,
  };
}

/** `overall`: the mean of the seven dimensions, as in SOTOPIA. */
function valuesOf(
  { agents }: JudgeAnswer,
  order: readonly string[],
): { agent: string; name: string; value: number }[] {
  return agents.flatMap((dimensions, at) => {
    const names = Object.keys(DIMENSIONS) as Dimension[];
    const values = names.map((name) => ({ name: name as string, value: dimensions[name].score }));
    const overall = values.reduce((sum, { value }) => sum + value, 0) / values.length;
    const agent = order[at] as string;
    return [...values, { name: 'overall', value: overall }].map((value) => ({ agent, ...value }));
  });
}

function countsOf(judged: readonly Judged[]): Omit<JudgeReport, 'lines' | 'tokens'> {
  const unscored = new Map<string, number>();
  for (const found of judged)
    if ('reason' in found) unscored.set(found.reason, (unscored.get(found.reason) ?? 0) + 1);
  const scored = judged.filter((found) => 'answer' in found);
  const fromCache = scored.filter((found) => 'answer' in found && found.cached).length;
  return { episodes: judged.length, scored: scored.length, fromCache, unscored };
}
