/** `entrain evaluate RUN`: writes outcomes of a run's episodes, by rules, from the user's own file, or by a judge. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../process/clock.ts';
import { noMore, required, wholeNumber } from '../process/flags.ts';
import { stderrProgress } from '../process/progress.ts';
import { mergeOutcomes, readOutcomes, writeOutcomes } from '../process/run-folder/outcomes-file.ts';
import { findRunFolder, readTalk, type RunTalk, type TalkEpisode } from '../process/run-folder/read-talk.ts';
import { readSecretFile } from '../process/secret-file.ts';
import { usageText } from '../process/usage.ts';
import { EntrainError } from '../protocol/errors.ts';
import type { OutcomeLine } from '../protocol/outcomes.ts';
import type { JudgeSettings } from './judge/ask-judge.ts';
import { judgeRun, type JudgeReport } from './judge/judge-run.ts';
import { linesOfRules } from './evaluate-by-rules.ts';
import { scoreIntrinsic, type IntrinsicReport } from './intrinsic/score-intrinsic.ts';
import { readOutcomesCsv } from './read-outcomes-csv.ts';

const FLAGS = {
  runs: { type: 'string', default: 'runs', value: 'DIR', about: 'where run folders are' },
  file: {
    type: 'string',
    value: 'FILE',
    about:
      'CSV with the columns episode, agent, name, value; without, outcomes.csv of the run folder if it is there',
  },
  judge: {
    type: 'string',
    value: 'URL',
    about: 'of an OpenAI-compatible interface, such as http://HOST:8000/v1',
  },
  'judge-model': { type: 'string', value: 'NAME', about: 'which of its models judges' },
  'judge-key-file': { type: 'string', value: 'FILE', about: 'holds its key; of mode 0600' },
  'judge-tokens': {
    type: 'string',
    default: '2000000',
    value: 'N',
    about: 'what all requests together may take; episodes beyond it stay unscored',
  },
  'judge-timeout': { type: 'string', default: '120', value: 'SECONDS', about: 'for one answer' },
  'judge-at-once': {
    type: 'string',
    default: '4',
    value: 'N',
    about: 'episodes asked about at the same time',
  },
  model: {
    type: 'string',
    multiple: true,
    value: 'DIR',
    about:
      "folder of one of the run's models, once for each: the intrinsic score, how much likelier its agents' replies are behind their partner's words than behind those of another dialogue",
  },
  progress: { type: 'boolean', default: false, about: 'say on standard error how far it is' },
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain evaluate RUN [--file FILE] [--judge URL --judge-model NAME] [--model DIR…]',
      about:
        'Writes outcomes.jsonl of a run: by the rules of its scenarios, by a file, by a judge, by the logits of its own models. Status 1 where the judge left episodes unscored.',
    },
    FLAGS,
  );

type Flags = ReturnType<typeof parse>['values'];

/** Arguments after `entrain evaluate` → exit status. */
export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv);
  noMore(positionals, 1, 'one RUN');
  const name = required('RUN', positionals[0], 'the name or folder of a run');
  const judge = await judgeSettings(values);
  const folder = await findRunFolder(values.runs, name);
  const talk = await readTalk(folder);
  const finished = talk.episodes.filter(({ finish }) => finish !== undefined);
  if (finished.length === 0)
    throw new EntrainError(
      'RUN_INVALID',
      `No episode of ${folder} is finished: expected one; let the run go on first.`,
    );
  const known = await readOutcomes(folder);
  const byFile = await linesOfFile(talk, values.file);
  const byRule = linesOfRules(talk, finished);
  const report = judge && (await judged(talk, finished, { ...values, settings: judge }));
  const intrinsic =
    values.model && (await scoredByModels(talk, finished, { ...values, folders: values.model }));
  const added = [...byRule, ...byFile, ...(report?.lines ?? []), ...(intrinsic?.lines ?? [])];
  const lines = mergeOutcomes(known, added);
  if (lines.length > 0) await writeOutcomes(folder, lines);
  const left = talk.episodes.length - finished.length;
  process.stdout.write(textOf({ byRule, byFile, report, intrinsic, left }));
  return report && report.scored < report.episodes ? 1 : 0;
}

const parse = (argv: string[]) =>
  parseArgs({ args: argv, options: FLAGS, strict: true, allowPositionals: true });

/** @returns undefined without `--judge` */
async function judgeSettings(flags: Flags): Promise<JudgeSettings | undefined> {
  const { judge: url, 'judge-model': model, 'judge-key-file': keyFile } = flags;
  if (url === undefined) {
    if (model === undefined && keyFile === undefined) return undefined;
    throw new EntrainError(
      'USAGE',
      '--judge is missing: expected the URL of the interface that --judge-model stands at.',
    );
  }
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new EntrainError('USAGE', `--judge is "${url}": expected a URL such as http://127.0.0.1:8000/v1.`);
  const key = keyFile && (await readSecretFile('--judge-key-file', keyFile, 'the key alone')).trim();
  return {
    url,
    model: required('--judge-model', model, 'the name of a model'),
    key: key === '' ? undefined : key,
    timeoutMs: 1000 * wholeNumber('--judge-timeout', flags['judge-timeout'], { least: 1, most: 3600 }),
    attempts: 3,
    pauseMs: 500,
  };
}

async function linesOfFile(talk: RunTalk, asked: string | undefined): Promise<OutcomeLine[]> {
  const usual = join(talk.folder, 'outcomes.csv');
  const file = asked ?? ((await isFile(usual)) ? usual : undefined);
  if (file === undefined) return [];
  const about = { type: 'outcome', run: talk.facts.run, source: 'file', atMs: systemClock.nowMs() } as const;
  return (await readOutcomesCsv(file, talk.episodes)).map((outcome) => ({ ...about, ...outcome }));
}

const isFile = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isFile() === true;

async function judged(
  talk: RunTalk,
  finished: readonly TalkEpisode[],
  flags: Flags & { settings: JudgeSettings },
): Promise<JudgeReport> {
  const progress = stderrProgress(flags.progress);
  return judgeRun(talk, finished, {
    settings: flags.settings,
    budgetTokens: wholeNumber('--judge-tokens', flags['judge-tokens'], { least: 1 }),
    atOnce: wholeNumber('--judge-at-once', flags['judge-at-once'], { least: 1, most: 64 }),
    nowMs: systemClock.nowMs,
    say: progress.say,
  }).finally(() => progress.end());
}

async function scoredByModels(
  talk: RunTalk,
  finished: readonly TalkEpisode[],
  { progress: shown, folders }: Pick<Flags, 'progress'> & { folders: readonly string[] },
): Promise<IntrinsicReport> {
  const progress = stderrProgress(shown);
  return scoreIntrinsic(talk, finished, { folders, say: progress.say }).finally(() => progress.end());
}

interface Report {
  byRule: readonly OutcomeLine[];
  byFile: readonly OutcomeLine[];
  report: JudgeReport | undefined;
  intrinsic: IntrinsicReport | undefined;
  /** Episodes that are not finished. */
  left: number;
}

function textOf({ byRule, byFile, report, intrinsic, left }: Report): string {
  const episodes = (lines: readonly OutcomeLine[]): number =>
    new Set(lines.map(({ episode }) => episode)).size;
  const lines = [
    `rules  ${byRule.length} values of ${episodes(byRule)} episodes`,
    `file   ${byFile.length} values of ${episodes(byFile)} episodes`,
    ...(report ? judgeText(report) : []),
    ...(intrinsic ? intrinsicText(intrinsic, episodes(intrinsic.lines)) : []),
    ...(left > 0 ? [`${left} episodes are not finished and were left out`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function judgeText({ episodes, scored, fromCache, tokens, unscored }: JudgeReport): string[] {
  return [
    `judge  ${scored} of ${episodes} episodes scored, ${fromCache} of them asked earlier; ${tokens} tokens`,
    ...[...unscored].map(([reason, count]) => `       ${count} left unscored: ${reason}`),
  ];
}

function intrinsicText({ lines, agentsLeft, alone }: IntrinsicReport, episodes: number): string[] {
  return [
    `models ${lines.length} values of ${episodes} episodes`,
    ...(agentsLeft.length > 0
      ? [`       none of ${agentsLeft.join(', ')}: give the folders of their models by --model`]
      : []),
    ...(alone > 0
      ? [`       none of ${alone} episodes without a second one of their scenario, condition and models`]
      : []),
  ];
}
