/** `entrain verify | replay | export RUN`: commands that work from a run's recording alone. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { streamsOf } from '../journal/read-recording.ts';
import { removalOf, setPinned } from '../journal/retention.ts';
import { noMore, required, requireOwn } from '../process/flags.ts';
import { EntrainError } from '../protocol/errors.ts';
import { stderrProgress } from '../process/progress.ts';
import { findRunFolder } from '../process/run-folder/read-talk.ts';
import type { TableFormat } from '../tables/table-bytes.ts';
import { exportRun, type ExportFormat } from './export-run.ts';
import { removedText, verifyText } from './verify-text.ts';
import { verifyRun } from './verify-run.ts';

const FLAGS = {
  runs: { type: 'string', default: 'runs' },
  format: { type: 'string', default: 'npy' },
  out: { type: 'string' },
  json: { type: 'boolean', default: false },
  last: { type: 'boolean', default: false },
  progress: { type: 'boolean', default: false },
} as const;

const OWN_FLAGS: Readonly<Record<string, readonly (keyof typeof FLAGS)[]>> = {
  verify: ['runs', 'json'],
  replay: ['runs', 'last', 'json', 'progress'],
  export: ['runs', 'format', 'out'],
  pin: ['runs'],
  unpin: ['runs'],
};

export const usage = (): string => `entrain verify RUN [--runs DIR] [--json]
  checks every checksum, seal and number of the recording, that the run has ended as planned, that every turn of its
  events is in the transcript, and that every utterance is recorded whole
entrain replay RUN [--runs DIR] [--last] [--json] [--progress]
  recomputes the published scores (--last: the last one of each group) and says whether they are equal;
  how far it is stands on standard error where that is a terminal, or with --progress
entrain export RUN --format npy|safetensors|csv|parquet|sotopia [--out DIR] [--runs DIR]
  without --out into RUN-export beside the run folder;
  npy: the folders that the scripts of the paper read, a tree per condition, and manifest.csv (always called t0.7,
  whatever the temperature was: run.json has it);
  safetensors: one file per episode; status 1 where the recording is not whole
  csv, parquet: tables of talk, outcomes and scores: turns, episodes, groups, layers, pairs, differences, steps;
  sotopia: finished dialogues of two as SOTOPIA's episode logs, with the addresses of their states
entrain pin RUN, entrain unpin RUN [--runs DIR]
  the recording of a pinned run is never removed to keep the analyzer's --budget-gb
RUN is the name of a run in --runs (default: runs) or the path of its folder.`;

/**
 * Runs a command; `argv` begins with its name.
 * @returns exit status: 0 if all is well, 1 if not
 */
export async function run(argv: string[]): Promise<number> {
  const [command = '', ...args] = argv;
  const { values, positionals, tokens } = parseArgs({
    args,
    options: FLAGS,
    strict: true,
    allowPositionals: true,
    tokens: true,
  });
  requireOwn(command, tokens, OWN_FLAGS[command] ?? []);
  noMore(positionals, 1, 'one RUN');
  const name = required('RUN', positionals[0], 'the name or folder of a run');
  const format = command === 'export' ? formatOf(values.format) : undefined;
  if (format === 'csv' || format === 'parquet')
    return exportedTables(await findRunFolder(values.runs, name), { format, out: values.out });
  if (format === 'sotopia') return exportedLogs(await findRunFolder(values.runs, name), values.out);
  const folder = await findRun(values.runs, name);
  if (command === 'verify') return verify(folder, values.json);
  if (command === 'pin' || command === 'unpin') return pin(folder, command === 'pin');
  await requireRecording(folder);
  if (command === 'replay') return replay(folder, values);
  if (format !== undefined) return exported(folder, { format, out: values.out });
  throw new EntrainError(
    'USAGE',
    `There is no command "${command}": expected verify, replay, export, pin or unpin.`,
  );
}

async function verify(folder: string, json: boolean): Promise<number> {
  const report = await verifyRun(folder);
  print(json ? `${JSON.stringify(report)}\n` : verifyText(report));
  return report.complete ? 0 : 1;
}

/** Exports what is whole in the recording. What is missing is printed and makes the exit status 1. */
async function exported(
  folder: string,
  flags: { format: ExportFormat; out: string | undefined },
): Promise<number> {
  const { format, out = usualFolder(folder) } = flags;
  const { files, frames, verified } = await exportRun(folder, { format, out });
  print(`${frames} frames in ${files} files under ${out}\n`);
  const { faults, gapFrames, utterances } = verified;
  const lacks = {
    'faults in the recording': faults.length,
    'frames declared lost': gapFrames,
    'utterances without their states': utterances?.incomplete.length ?? 0,
  };
  const said = Object.entries(lacks).flatMap(([what, n]) => (n > 0 ? [`${n} ${what}`] : []));
  if (said.length === 0) return 0;
  print(`not whole: ${said.join(', ')}; "entrain verify" names them\n`);
  return 1;
}

async function exportedTables(
  folder: string,
  { format, out = usualFolder(folder) }: { format: TableFormat; out: string | undefined },
): Promise<number> {
  const { exportTables } = await import('./tables/export-tables.ts');
  const tables = await exportTables(folder, { format, out });
  return print(tables.map(({ file, rows }) => `${rows.toLocaleString('en')} rows  ${file}\n`).join(''));
}

async function exportedLogs(folder: string, out = usualFolder(folder)): Promise<number> {
  const { exportSotopia } = await import('./sotopia-logs.ts');
  const { file, logs } = await exportSotopia(folder, out);
  return print(`${logs} episode logs  ${file}\n`);
}

const usualFolder = (folder: string): string => `${resolve(folder)}-export`;

async function pin(folder: string, pinned: boolean): Promise<number> {
  const removed = await removalOf(folder);
  if (removed && pinned) throw new EntrainError('RUN_INVALID', `${folder} is ${removedText(removed)}.`);
  await setPinned(folder, pinned);
  return print(pinned ? `${folder} stays until it is unpinned\n` : `${folder} may go when room is needed\n`);
}

async function requireRecording(folder: string): Promise<void> {
  const removed = await removalOf(folder);
  if (removed)
    throw new EntrainError(
      'RUN_INVALID',
      `The recording in ${folder} is ${removedText(removed)}: expected one that is still there; pin a run to keep it ("entrain pin RUN").`,
    );
}

/** Loaded on demand, since it needs the matrix engine. */
async function replay(
  folder: string,
  flags: { last: boolean; json: boolean; progress: boolean },
): Promise<number> {
  const { replayRun, replayText } = await import('./replay-run.ts');
  const progress = stderrProgress(flags.progress);
  const replayed = replayRun(folder, { lastOnly: flags.last, say: progress.say });
  const report = await replayed.finally(() => progress.end());
  print(flags.json ? `${JSON.stringify(report)}\n` : replayText(report));
  return report.equal ? 0 : 1;
}

async function findRun(runs: string, name: string): Promise<string> {
  for (const folder of [join(runs, name), name]) {
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory() && (await streamsOf(folder)).length > 0) return folder;
  }
  throw new EntrainError(
    'RUN_INVALID',
    `There is no recorded run "${name}" in ${runs}: expected a folder with streams/ in it. Check the name, or give --runs DIR.`,
  );
}

const FORMATS = ['npy', 'safetensors', 'csv', 'parquet', 'sotopia'] as const satisfies (
  ExportFormat | TableFormat | 'sotopia'
)[];

function formatOf(text: string): (typeof FORMATS)[number] {
  const format = FORMATS.find((one) => one === text);
  if (format !== undefined) return format;
  throw new EntrainError(
    'USAGE',
    `--format is "${text}": expected npy, safetensors, csv, parquet or sotopia.`,
  );
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
