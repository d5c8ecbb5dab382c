/**
 * The figures of one group's counterfactual branches, from its histories: the sequential verdict from the fifth
 * history on, influence and matched SyncR² from 20 histories of 6 scenarios on, and so for each layer and size of a
 * moved state. Every random choice follows from the study's seed and the group.
 */
import type {
  BranchReport,
  FigureReport,
  MatchedReport,
  PatchReport,
} from '../../protocol/reports/branch-report.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import { displacements } from '../../synchrony/branches/displacement.ts';
import { influence, type Influence } from '../../synchrony/branches/influence.ts';
import { BRANCH_METHOD, matchedScore, type MatchedScore } from '../../synchrony/branches/matched.ts';
import { interchange, type Follows } from '../../synchrony/branches/interchange.ts';
import { patching } from '../../synchrony/branches/patching.ts';
import { sequentialTest } from '../../synchrony/branches/sequential-test.ts';
import type { Branches } from '../../synchrony/branches/histories.ts';
import type { Interval, NoScore } from '../../synchrony/types.ts';
import type { BranchScore } from '../scoring/messages.ts';
import { groupSeed } from '../scoring/score-group.ts';
import type { Group } from '../ingest/episode-index.ts';
import type { OwnedHistory, PatchKey } from './branch-index.ts';
import {
  branchesOf,
  exchangeRowsOf,
  distinctUtterances,
  historyId,
  patchRowsOf,
  selectBranches,
  selectPatches,
  type BranchSelection,
  type GroupHistories,
} from './branch-rows.ts';

export interface BranchJob {
  run: string;
  histories: GroupHistories;
  algebra: LinearAlgebra;
  /** Monotonic. */
  nowMs(): number;
}

/** Without a number. */
export function emptyBranchScore({ run, histories }: BranchJob, reason: string): BranchScore {
  const selection = selectBranches(histories);
  return {
    type: 'branches',
    run,
    group: histories.group,
    version: histories.version,
    seed: seedOf(histories.group, selection),
    method: BRANCH_METHOD,
    branches: { ...countsOf(selection), influence: null, matched: null, sequential: null, reason },
    moves: {},
    rows: [selection, ...selectPatches(histories).map((patched) => patched.selection)].flatMap((of) =>
      of.histories.map(historyId),
    ),
    computedMs: 0,
  };
}

export async function scoreBranches(job: BranchJob): Promise<BranchScore> {
  const startedMs = job.nowMs();
  const { reason: _, ...empty } = emptyBranchScore(job, '').branches;
  const selection = selectBranches(job.histories);
  const seed = seedOf(job.histories.group, selection);
  const { algebra } = job;
  const branches = branchesOf(selection.histories);
  const whole = selection.histories.filter(({ alternatives, most }) => alternatives.length === most);
  const sequential = await sequentialTest(branchesOf(whole), { seed, algebra });
  const acts = influence(branches, { seed });
  const matched = await matchedScore(branches, { seed, algebra });
  const patches: PatchReport[] = [];
  for (const patched of selectPatches(job.histories))
    patches.push(await patchReport(patched, selection.histories, { seed, algebra }));
  const reason = [acts, matched].flatMap((figure) => ('reason' in figure ? [figure.reason] : []))[0];
  const report: BranchReport = {
    ...empty,
    influence: 'reason' in acts ? null : influenceReport(acts, selection),
    matched: 'reason' in matched ? null : matchedReport(matched, selection),
    sequential: 'reason' in sequential ? null : sequential,
    ...(patches.length > 0 ? { patches } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
  const moves = movesOf(branches, selection);
  return { ...emptyBranchScore(job, ''), branches: report, moves, computedMs: job.nowMs() - startedMs };
}

/** By the names of history and alternative. */
function movesOf(branches: Branches, { histories }: BranchSelection): BranchScore['moves'] {
  const names = histories.flatMap((history) =>
    history.alternatives.map(({ k }) => [historyId(history), String(k)] as const),
  );
  const moves: BranchScore['moves'] = {};
  for (const { row, value } of displacements(branches)) {
    const [history, k] = names[row] as (typeof names)[number];
    (moves[history] ??= {})[k] = value;
  }
  return moves;
}

const countsOf = ({ histories, rows }: BranchSelection): Pick<BranchReport, 'histories' | 'branches'> => ({
  histories: histories.length,
  branches: rows,
});

const seedOf = (group: Group, { seed }: BranchSelection): number =>
  groupSeed(group, seed === undefined ? undefined : { seed, minTurns: 0, groups: 1 });

const figure = (value: number, { low, high }: Interval): FigureReport => ({
  value,
  ciLow: low,
  ciHigh: high,
});

/** Of one layer and size. */
async function patchReport(
  { patch, selection }: { patch: PatchKey; selection: BranchSelection },
  whole: readonly OwnedHistory[],
  options: { seed: number; algebra: LinearAlgebra },
): Promise<PatchReport> {
  const { acts, follows } = await figuresOf({ patch, selection }, whole, options);
  const reason = [acts, follows].flatMap((found) => ('reason' in found ? [found.reason] : []))[0];
  return {
    ...patch,
    ...countsOf(selection),
    distinct: distinctUtterances(selection.histories),
    influence: 'reason' in acts ? null : influenceReport(acts, selection),
    follows: 'reason' in follows ? null : followsReport(follows, selection),
    ...(reason === undefined ? {} : { reason }),
  };
}

async function figuresOf(
  { patch, selection: { histories } }: { patch: PatchKey; selection: BranchSelection },
  whole: readonly OwnedHistory[],
  options: { seed: number; algebra: LinearAlgebra },
): Promise<{ acts: Influence | NoScore; follows: Follows | NoScore }> {
  if (patch.kind === 'interchange')
    return interchange(exchangeRowsOf(histories, whole, patch.layer), options);
  const { acts, follows } = await patching(patchRowsOf(histories), options);
  if ('reason' in follows) return { acts, follows };
  return { acts, follows: { ...follows, targetLayer: follows.perLayer[0]?.targetLayer ?? 0 } };
}

function followsReport(
  { score, ci, pValue, permutations, targetLayer: at }: Follows,
  { layers }: BranchSelection,
): NonNullable<PatchReport['follows']> {
  const targetLayer = layers.target[at] ?? at;
  return { score, ciLow: ci.low, ciHigh: ci.high, pValue, permutations, targetLayer };
}

function influenceReport({ value, ci, perLayer }: Influence, { layers }: BranchSelection) {
  return {
    ...figure(value, ci),
    perLayer: perLayer.map((of) => ({ layer: layers.target[of.layer] ?? of.layer, value: of.value })),
  };
}

function matchedReport(score: MatchedScore, { layers }: BranchSelection): MatchedReport {
  const { pValue, permutations, words = null, bystander = null, both = null, adds } = score;
  return {
    score: score.score,
    ciLow: score.ci.low,
    ciHigh: score.ci.high,
    pValue,
    permutations,
    perLayer: score.perLayer.map((of) => ({
      layer: layers.source[of.layer] ?? of.layer,
      score: of.score,
      targetLayer: layers.target[of.targetLayer] ?? of.targetLayer,
      pValue: of.pValue,
    })),
    words,
    bystander,
    both,
    adds: adds ? { ...figure(adds.value, adds.ci), beyond: adds.beyond } : null,
  };
}
