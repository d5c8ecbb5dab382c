/** Reads what a report says of a run from its folder: figures, outcomes, curves, dialogues, what failed. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { readGeometry, type Geometry } from '../analysis/state-geometry.ts';
import { readOutcomes } from '../process/run-folder/outcomes-file.ts';
import { readLines } from '../process/run-folder/read-lines.ts';
import { readTalk, type RunTalk, type TalkEpisode } from '../process/run-folder/read-talk.ts';
import type { RunFacts } from '../protocol/nats-messages.ts';
import type { OutcomeLine } from '../protocol/outcomes.ts';
import type { BesideReport, LayerMapReport, StrictReport } from '../protocol/reports/score-report.ts';
import { deriveSeed } from '../protocol/seed.ts';
import { readScores } from '../recordings/read-scores.ts';
import { FollowedRun } from '../viewer/library/followed-run.ts';
import type { Interval, RunView } from '../viewer/view-data.ts';
import { byCondition } from '../viewer/page/format.ts';
import { outcomeMeans, type OutcomeMean } from './outcome-means.ts';
import { turnCurves, type MappedGroup, type TurnCurve } from './turn-curves.ts';

export interface RunReport {
  facts: RunFacts;
  view: RunView;
  lags: LagCurve[];
  doses: DoseCurve[];
  /** Groups with a map of layers, those of `live` first. */
  maps: MappedGroup[];
  overTurns: TurnCurve[];
  /** None without a recording. */
  geometry: Geometry[];
  outcomes: OutcomeMean[];
  dialogues: TalkEpisode[];
  /** What failed or is missing, a sentence each. */
  faults: string[];
}

/** Excess by the number of turns from the one state to the other. */
export interface LagCurve {
  condition: string;
  sourceRole: number;
  targetRole: number;
  points: (Interval & { lag: number; pValue: number })[];
}

/** Excess by the share of utterances that is heard. */
export interface DoseCurve {
  sourceRole: number;
  targetRole: number;
  points: (Interval & { dose: number; condition: string })[];
}

/** @throws EntrainError `RUN_INVALID` */
export async function readReport(folder: string): Promise<RunReport> {
  const talk = await readTalk(folder);
  const followed = new FollowedRun(folder);
  await followed.look(async () => Promise.resolve(true));
  const view = followed.view();
  const outcomes = await readOutcomes(folder);
  const lines = await groupLines(folder);
  const maps = mappedGroups(lines);
  return {
    facts: talk.facts,
    view,
    lags: lagCurves(lines),
    doses: doseCurves(view),
    maps,
    overTurns: turnCurves(talk, maps),
    geometry: (await readGeometry(talk)).toSorted(byCondition),
    outcomes: outcomeMeans(talk, outcomes),
    dialogues: sampled(talk),
    faults: [
      ...(await eventFaults(folder)),
      ...talkFaults(talk),
      ...figureFaults(view),
      ...unscored(outcomes),
    ],
  };
}

interface GroupLine {
  type: string;
  group?: string;
  condition?: string;
  sourceRole?: number;
  targetRole?: number;
  strict?: StrictReport | null;
  beside?: BesideReport;
  layerMap?: LayerMapReport | null;
  source?: { name: string };
  target?: { name: string };
}

async function groupLines(folder: string): Promise<GroupLine[]> {
  const isThere = await access(join(folder, 'scores.jsonl')).then(
    () => true,
    () => false,
  );
  return isThere ? (await readScores(folder)).lines : [];
}

/** The last line of each group. */
const lastOf = (lines: readonly GroupLine[], type: string): Map<string, GroupLine> =>
  new Map(lines.filter((line) => line.type === type).map((line) => [line.group ?? '', line]));

function mappedGroups(lines: readonly GroupLine[]): MappedGroup[] {
  const besides = lastOf(lines, 'beside');
  const found = [...lastOf(lines, 'score')].flatMap(([group, line]) => {
    const { condition, sourceRole, targetRole, source, target } = line;
    const layerMap = besides.get(group)?.layerMap;
    if (!layerMap || condition === undefined || sourceRole === undefined || targetRole === undefined)
      return [];
    const models: [string, string] = [source?.name ?? '', target?.name ?? ''];
    return [{ condition, models, sourceRole, targetRole, layerMap }];
  });
  return found.toSorted(byCondition);
}

function lagCurves(lines: readonly GroupLine[]): LagCurve[] {
  const besides = lastOf(lines, 'beside');
  return [...lastOf(lines, 'score')].flatMap(([group, { strict, condition, sourceRole, targetRole }]) => {
    const beside = besides.get(group)?.beside;
    const found = [
      { lag: 1, score: strict },
      { lag: 3, score: beside?.lag3 },
      { lag: 5, score: beside?.lag5 },
    ];
    const points = found.flatMap(({ lag, score }) =>
      score
        ? [
            {
              lag,
              value: score.excess,
              low: score.ciLow,
              high: score.ciHigh,
              pValue: score.pValue,
            },
          ]
        : [],
    );
    if (condition === undefined || sourceRole === undefined || targetRole === undefined) return [];
    return points.length > 1 ? [{ condition, sourceRole, targetRole, points }] : [];
  });
}

/** `live` hears all, `monologue` nothing. */
function doseOf(condition: string): number | undefined {
  if (condition === 'live') return 1;
  if (condition === 'monologue') return 0;
  return condition.startsWith('dose:') ? Number(condition.slice('dose:'.length)) : undefined;
}

function doseCurves({ figures }: RunView): DoseCurve[] {
  const curves = new Map<string, DoseCurve>();
  for (const { condition, sourceRole, targetRole, adjustment } of figures.groups) {
    const dose = doseOf(condition);
    if (dose === undefined || !adjustment) continue;
    const { value, low, high } = adjustment;
    const key = `${sourceRole} ${targetRole}`;
    const curve = curves.get(key) ?? { sourceRole, targetRole, points: [] };
    curve.points.push({ dose, condition, value, low, high });
    curves.set(key, curve);
  }
  return [...curves.values()]
    .filter(({ points }) => new Set(points.map(({ dose }) => dose)).size > 2)
    .map((curve) => ({
      ...curve,
      points: curve.points.toSorted((a, b) => a.dose - b.dose),
    }));
}

/** Most dialogues that are shown. */
const DIALOGUES = 6;

/** One of each condition, drawn by the study's seed. */
function sampled({ facts, episodes }: RunTalk): TalkEpisode[] {
  const conditions = [...new Set(episodes.map(({ condition }) => condition))].slice(0, DIALOGUES);
  return conditions.flatMap((condition) => {
    const own = episodes.filter((one) => one.condition === condition && one.finish !== undefined);
    return own[deriveSeed(facts.study.seed, 'report', condition) % Math.max(1, own.length)] ?? [];
  });
}

async function eventFaults(folder: string): Promise<string[]> {
  const lines = await readLines(
    join(folder, 'events.jsonl'),
    (line) => JSON.parse(line) as { type: string; reason?: string },
  );
  const of = (type: string): { type: string; reason?: string }[] =>
    (lines ?? []).filter((line) => line.type === type);
  return [
    ...of('run-failed').map(({ reason }) => `The run failed: ${reason ?? 'no reason given'}`),
    ...counted(of('run-resumed').length, 'time the run went on after a failure'),
    ...counted(of('episode-taken-over').length, 'role taken over by another agent'),
    ...counted(of('episode-resumed').length, 'role given again to an agent that came back'),
  ];
}

const counted = (count: number, what: string): string[] => (count === 0 ? [] : [`${count} × ${what}.`]);

function talkFaults({ episodes }: RunTalk): string[] {
  const open = episodes.filter(({ finish }) => finish === undefined).length;
  const turns = episodes.flatMap((episode) => episode.turns);
  return [
    ...counted(open, 'episode that is not finished'),
    ...counted(
      turns.filter(({ text, finish }) => text === '' && finish !== 'absent').length,
      'empty utterance',
    ),
    ...counted(
      turns.filter(({ droppedTurns }) => droppedTurns > 0).length,
      'turn whose prompt lacks earlier turns',
    ),
  ];
}

function figureFaults({ figures }: RunView): string[] {
  return [
    ...(figures.provisional
      ? [
          'The figures are provisional: the run has not ended, or not all of it is scored; p and q do not hold.',
        ]
      : []),
    ...figures.groups.flatMap(({ condition, sourceRole, targetRole, reason }) =>
      reason === undefined ? [] : [`${condition}, place ${sourceRole} → ${targetRole}: ${reason}`],
    ),
  ];
}

function unscored(lines: readonly OutcomeLine[]): string[] {
  const reasons = lines.flatMap((line) => (line.type === 'unscored' ? [line.reason] : []));
  return [...new Set(reasons)].map(
    (reason) =>
      `${reasons.filter((one) => one === reason).length} × episode left unscored by the judge: ${reason}.`,
  );
}
