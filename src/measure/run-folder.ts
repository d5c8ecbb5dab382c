/**
 * `entrain measure sync-r2 --run FOLDER`: scores every group and pair of a recorded run as the analyzer does,
 * with the same rows, seed and draws, so the figures are those of `scores.jsonl`. Layers have the numbers of
 * the recording.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecording, streamsOf } from '../journal/read-recording.ts';
import { EntrainError } from '../protocol/errors.ts';
import type { TurnFrame } from '../protocol/stream/frames.ts';
import type { LinearAlgebra } from '../numeric/linear-algebra.ts';
import { distanceOf, type Group } from '../analyzer/ingest/episode-index.ts';
import { selectRows, type GroupRows } from '../analyzer/ingest/group-rows.ts';
import { labelOf, MAX_ROWS } from '../analyzer/ingest/row-cap.ts';
import { emptyRunRows, takeFrameRows, type RunRows } from '../analyzer/ingest/run-rows.ts';
import type { Progress } from '../process/progress.ts';
import { readRunFile } from '../process/run-folder/run-file.ts';
import type { TurnPairs } from '../synchrony/types.ts';
import { strictOptions } from '../analyzer/scoring/score-group.ts';
import type { Json } from './answers.ts';
import type { MeasureFlags } from './arguments.ts';
import { atLag } from './lag.ts';
import { chooseSides } from './one-layer.ts';
import { measureContrasts, measurePairs, memberOf, type MeasuredMember } from './pairs.ts';
import { modeOf, seedOf } from './job.ts';
import { measureSyncR2 } from './sync-r2.ts';

export interface RunJob extends Pick<Progress, 'say'> {
  flags: MeasureFlags;
  algebra: LinearAlgebra;
}

export async function measureRun(folder: string, job: RunJob): Promise<Json> {
  const { flags, say } = job;
  say('reading the recording');
  const isPaper = modeOf(flags) === 'paper';
  // The limit on rows belongs to scores that are made while a run goes on.
  const maxRows = isPaper ? Infinity : MAX_ROWS;
  const run = await readGroups(folder, maxRows);
  if (run.groups.size === 0)
    throw new EntrainError(
      'RUN_INVALID',
      `The recording in ${folder} holds no turn pair: expected episodes in which at least two agents have spoken; check --run, or let the run go on first.`,
    );
  const settings = isPaper ? await settingsOf(folder) : undefined;
  const answers: Json[] = [];
  const members: MeasuredMember[] = [];
  const groups = [...run.groups.values()].sort((x, y) => (x.group.key < y.group.key ? -1 : 1));
  for (const [index, rows] of groups.entries()) {
    const { condition, direction } = rows.group;
    const place = `group ${index + 1} of ${groups.length}: ${condition}, ${direction}`;
    const sayHere = (what: string): void => say(`${place}, ${what}`);
    const found = await measureGroup(rows, { run, settings, maxRows }, { ...job, say: sayHere });
    answers.push(found.answer);
    members.push(found.member);
  }
  return { groups: answers, pairs: measurePairs(members), ...measureContrasts(members) };
}

interface OfRun {
  run: Recorded;
  settings: ReadonlyMap<number, number> | undefined;
  maxRows: number;
}

async function measureGroup(
  rows: GroupRows,
  { run, settings, maxRows }: OfRun,
  { flags, algebra, say }: RunJob,
): Promise<{ answer: Json; member: MeasuredMember }> {
  const { group } = rows;
  const selection = selectRows(rows, maxRows);
  const { seed, permutations = NaN, shortest = 2 } = strictOptions(group, selection.plan);
  const all = withSettings(selection.pairs, settings);
  const { pairs: selected, later } = atLag(all, flags, group.agents);
  const fallbacks = { seed, permutations, shortest: Math.max(0, shortest - later) };
  const episodeIds = new Map(Object.keys(selection.rows).map((episode) => [episode, labelOf(episode)]));
  const names = {
    source: layersIn(run, selected.source.length),
    target: layersIn(run, selected.target.length),
  };
  const sides = { source: group.source.name, target: group.target.name };
  const { pairs, ...named } = chooseSides(selected, sides, { flags, names });
  const measured = await measureSyncR2(pairs, { flags, algebra, fallbacks, episodeIds, say, ...named });
  const lag = later > 0 ? { lag: Number(flags.lag) } : {};
  return {
    answer: { ...about(group), ...lag, ...measured.answer },
    member: memberOf(group, { measured, seed: seedOf({ flags, fallbacks }), samples: pairs.n }),
  };
}

/** Scenario → a number that all scenarios of the same text share, whatever their people are. */
async function settingsOf(folder: string): Promise<ReadonlyMap<number, number> | undefined> {
  const scenarios = (await readRunFile(folder))?.study.scenarios ?? [];
  const texts = [...new Set(scenarios.map(({ text }) => text))];
  return new Map(scenarios.map(({ id, text }) => [labelOf(id), texts.indexOf(text)]));
}

/** Without the study each scenario is a setting of its own. */
function withSettings(pairs: TurnPairs, settings: ReadonlyMap<number, number> | undefined): TurnPairs {
  if (!settings || settings.size === 0) return pairs;
  return { ...pairs, setting: pairs.scenario.map((scenario) => settings.get(scenario) ?? scenario) };
}

export function about(group: Group): Json {
  const { source, target, direction, condition, agents, sourceRole, targetRole } = group;
  const roles = agents > 2 ? { agents, source_role: sourceRole, target_role: targetRole } : {};
  const names = { source_model: source.name, target_model: target.name };
  return { ...names, ...roles, distance: distanceOf(group), direction, condition };
}

interface Recorded extends RunRows {
  /** Layer numbers in the turn frames, by the number of layers. */
  layers: Map<number, number[]>;
}

/** The layer numbers of the recording for states with `count` layers. */
function layersIn({ layers }: Recorded, count: number): number[] {
  return layers.get(count) ?? Array.from({ length: count }, (_, index) => index + 1);
}

async function readGroups(folder: string, maxRows: number): Promise<Recorded> {
  await checkRun(folder);
  const run = { ...emptyRunRows(), layers: new Map<number, number[]>() };
  for await (const { stream, epoch, message } of readRecording(folder)) {
    if (message.type !== 'episode' && message.type !== 'turn') continue;
    if (message.type === 'turn') noteLayers(run.layers, message);
    takeFrameRows(run, { frame: message, origin: { stream, epoch, seq: message.seq } }, maxRows);
  }
  return run;
}

function noteLayers(known: Recorded['layers'], { layers }: TurnFrame): void {
  if (!known.has(layers.length)) known.set(layers.length, layers);
}

export async function checkRun(folder: string): Promise<void> {
  const missing = (what: string, cause?: unknown): EntrainError =>
    new EntrainError('RUN_INVALID', `${what}; expected a run folder with its streams, check --run`, {
      cause,
    });
  const found = await stat(folder).catch((cause: unknown) => {
    throw missing(`there is no folder ${folder}`, cause);
  });
  if (!found.isDirectory()) throw missing(`${folder} is not a folder`);
  if ((await streamsOf(folder)).length === 0) throw missing(`${join(folder, 'streams')} holds no recording`);
}
