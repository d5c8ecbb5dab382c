/** What is said of a run to people and programs, made of its state. */
import type { GroupReport, ScoreReport, StrictReport } from '../../protocol/report.ts';
import { shortOf, tooFew } from '../../protocol/minimums.ts';
import { cohensF2 } from '../../synchrony/stats/effect-size.ts';
import { qValues } from '../../synchrony/stats/false-discovery.ts';
import { stepReport } from '../steps/step-report.ts';
import { awaitsScores, waitingGroups } from './run-end.ts';
import { pairReports } from './run-pairs.ts';
import type { GroupState, RunState } from './run-state.ts';

export interface FrameCounts {
  framesAccepted: number;
  framesDurable: number;
}

export function scoreReport(state: RunState, counts: FrameCounts): ScoreReport {
  const pending = counts.framesAccepted > counts.framesDurable || awaitsScores(state);
  const groups = withQValues([...state.groups.values()].map(groupReport)).sort(byConditionAndDirection);
  const provisional = pending || state.phase !== 'final';
  const { run, differences } = state;
  const waiting = waitingGroups(state) + state.waitingDyads;
  return { run, provisional, pending, waiting, ...counts, groups, differences, pairs: pairReports(state) };
}

/** Every group with a p-value is one of the comparisons that a reader makes. */
function withQValues(groups: GroupReport[]): GroupReport[] {
  const tested = groups.flatMap(({ strict }) => (strict ? [strict.pValue] : []));
  const found = qValues(tested).values();
  return groups.map((group) => ({ ...group, qValue: group.strict ? (found.next().value ?? null) : null }));
}

function groupReport(state: GroupState): GroupReport {
  const { group, score, samples, curve, scoredAtMs } = state;
  const reason = reasonNow(state);
  const strict = strictNow(state);
  return {
    sourceModel: group.source.name,
    targetModel: group.target.name,
    direction: group.direction,
    condition: group.condition,
    agents: group.agents,
    sourceRole: group.sourceRole,
    targetRole: group.targetRole,
    samples,
    episodes: episodesOf(state),
    scenarios: state.scenarios.size,
    exchangeableScenarios: [...state.scenarios.values()].filter((episodes) => episodes.size > 1).length,
    paper: score?.paper ?? null,
    strict,
    effectSize: (strict && cohensF2(strict.score, strict.nullMean)) ?? null,
    qValue: null,
    beside: state.beside?.beside ?? null,
    steps: stepReport(state.steps),
    ...(score?.leftOut ? { leftOut: score.leftOut } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(score?.strict ? { evidenceSamples: score.strict.samples } : {}),
    ...(scoredAtMs === undefined ? {} : { scoredAtMs }),
    curve,
  };
}

/** Why there is no score, or no strict score, of the rows as they are now: an answer to fewer rows says nothing any more. */
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

/** The full score, or the point score since, beside the null, interval and p-value of the full one. */
function strictNow({ score, point }: GroupState): StrictReport | null {
  const strict = score?.strict ?? null;
  if (!strict || !point) return strict;
  const { score: value, samples } = point;
  return { ...strict, score: value, excess: value - strict.nullMean, samples };
}

/** `live` stands first, the others by name. */
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

/** A stream that has been silent for so long is not in an episode any more. */
const SILENT_MS = 60_000;

/** An episode runs while it is the last one of some stream that still speaks. */
export function episodeCounts(state: RunState, nowMs: number): { running: number; finished: number } {
  const last = [...state.lastEpisode.values()].filter(({ atMs }) => nowMs - atMs < SILENT_MS);
  const running = new Set(last.map(({ episode }) => episode)).size;
  const all = [...state.index.episodes()].length;
  return { running, finished: all - running };
}
