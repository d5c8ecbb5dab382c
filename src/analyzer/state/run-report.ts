/** Makes the report of a run from its state. */
import type { GroupReport, ScoreReport, StrictReport, Verdict } from '../../protocol/reports/score-report.ts';
import type { TalkReport } from '../../protocol/reports/talk-report.ts';
import { EPISODES_PER_SCENARIO, shortOf, tooFew } from '../../protocol/minimums.ts';
import { cohensF2 } from '../../synchrony/stats/effect-size.ts';
import { branchReportOf } from '../branches/branch-state.ts';
import { qValues } from '../../synchrony/stats/false-discovery.ts';
import { stepReport } from '../steps/step-report.ts';
import { awaitsScores, waitingGroups } from './run-end.ts';
import { memberOf, pairReports } from './run-pairs.ts';
import { pairDifferencesOf } from './differences.ts';
import { distancesOf } from './pair-means.ts';
import { distanceOf } from '../ingest/episode-index.ts';
import type { Standing } from '../output/score-log.ts';
import { talkOf, type GroupState, type RunState } from './run-state.ts';

export interface FrameCounts {
  framesAccepted: number;
  framesDurable: number;
}

export function scoreReport(state: RunState, counts: FrameCounts): ScoreReport {
  const pending = counts.framesAccepted > counts.framesDurable || awaitsScores(state);
  const standings = standingsOf(state);
  const groups = [...state.groups.values()]
    .map((group) => groupReport(state, group, standings.get(group.group.key)))
    .sort(byConditionAndDirection);
  const provisional = pending || state.phase !== 'final';
  const { run, differences } = state;
  const members = [...state.groups.values()].map(memberOf);
  return {
    run,
    provisional,
    pending,
    waiting: waitingGroups(state) + state.waitingDyads,
    ...counts,
    groups,
    differences,
    pairs: pairReports(state),
    pairDifferences: pairDifferencesOf(members),
    distances: distancesOf(members),
  };
}

/** For each group with a p-value, by key: q value and verdict over all groups of the run. */
export function standingsOf(state: RunState): Map<string, Required<Standing>> {
  const tested = [...state.groups].flatMap(([key, group]) =>
    group.score?.strict ? [{ key, group, strict: group.score.strict }] : [],
  );
  const found = qValues(tested.map(({ strict }) => strict.pValue));
  return new Map(
    tested.map(({ key, group, strict }, at) => {
      const qValue = found[at] as number;
      const talk = talkOf(state, group);
      return [key, { qValue, verdict: verdictOf(strict, qValue, talk), talk }];
    }),
  );
}

const ALPHA = 0.05;

function verdictOf(strict: StrictReport, qValue: number, talk: TalkReport | null): Verdict {
  if (qValue > ALPHA) return 'none';
  const isTalk = talk === null || talk.faults.length === 0;
  return strict.ciLow > 0 && strict.score > 0 && isTalk ? 'counts' : 'flagged';
}

function groupReport(run: RunState, state: GroupState, standing: Partial<Standing> = {}): GroupReport {
  const { group, score, samples, curve, scoredAtMs } = state;
  const { qValue = null, verdict = null } = standing;
  const reason = reasonNow(state);
  const strict = score?.strict ?? null;
  return {
    sourceModel: group.source.name,
    targetModel: group.target.name,
    direction: group.direction,
    condition: group.condition,
    agents: group.agents,
    sourceRole: group.sourceRole,
    targetRole: group.targetRole,
    distance: distanceOf(group),
    samples,
    episodes: episodesOf(state),
    scenarios: state.scenarios.size,
    exchangeableScenarios: [...state.scenarios.values()].filter(
      (episodes) => episodes.size >= EPISODES_PER_SCENARIO,
    ).length,
    paper: score?.paper ?? null,
    strict,
    effectSize: (strict && cohensF2(strict.score, strict.nullMean)) ?? null,
    qValue,
    verdict,
    talk: talkOf(run, state),
    branches: branchReportOf(run.branches, group.key),
    beside: state.beside?.beside ?? null,
    steps: stepReport(state.steps),
    ...(score?.leftOut ? { leftOut: score.leftOut } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(scoredAtMs === undefined ? {} : { scoredAtMs }),
    curve,
  };
}

/** Why the present rows have no score, or no strict score; a reason given for fewer rows no longer counts. */
function reasonNow(state: GroupState): string | undefined {
  const { score, refused, version } = state;
  if (refused !== undefined) return refused;
  if (!score) return 'Not computed yet.';
  if (score.paper || score.strict || score.version === version) return score.reason;
  const short = shortOf({
    samples: state.samples,
    episodes: episodesOf(state),
    scenarios: state.scenarios.size,
  });
  return short === undefined
    ? `Not computed yet: the last look was at ${score.samples} turn pairs.`
    : tooFew(short);
}

const episodesOf = ({ scenarios }: GroupState): number =>
  [...scenarios.values()].reduce((sum, { size }) => sum + size, 0);

/** `live` first, the others by name. */
function byConditionAndDirection(a: GroupReport, b: GroupReport): number {
  const rank = (group: GroupReport): string =>
    [
      group.condition === 'live' ? 0 : 1,
      group.condition,
      group.agents,
      group.sourceRole,
      group.targetRole,
      group.sourceModel,
      group.targetModel,
    ].join('|');
  return rank(a) < rank(b) ? -1 : 1;
}

/** A stream that has been silent for this time is no longer in an episode. */
const SILENT_MS = 60_000;

/** An episode is running if it is the last one of a stream that still sends. */
export function episodeCounts(state: RunState, nowMs: number): { running: number; finished: number } {
  const last = [...state.lastEpisode.values()].filter(({ atMs }) => nowMs - atMs < SILENT_MS);
  const running = new Set(last.map(({ episode }) => episode)).size;
  const all = [...state.index.episodes()].length;
  return { running, finished: all - running };
}
