/**
 * When the scores of a run are final: once its coordinator has said that it ended as planned, and everything recorded
 * is in them.
 *
 *   open ──ended as planned──▶ ended ──all of it scored──▶ final
 *                                ▲──────a late frame────────┘
 */
import { awaitsBranches, type BranchState } from '../branches/branch-state.ts';

export interface RunEnd {
  phase: 'open' | 'ended' | 'final';
}

/** How far the scores of a run are behind what is recorded of it. */
export interface ScoredSoFar {
  /** Frames of steps sent to be scored, and how many of them are in published scores. */
  stepFrames: number;
  settledStepFrames: number;
  groups: ReadonlyMap<string, ScoredGroup>;
  branches: Pick<BranchState, 'groups'>;
}

interface ScoredGroup {
  version: number;
  score: { version: number; strict: unknown } | undefined;
  beside: { version: number } | undefined;
}

/** The run has ended as planned: what is scored from now on is looked at for the last time. */
export function endRun(state: RunEnd): void {
  if (state.phase === 'open') state.phase = 'ended';
}

/** True when the scores have just become final: the run has ended, and nothing recorded is missing in them. */
export function becomesFinal(state: RunEnd & ScoredSoFar): boolean {
  if (state.phase !== 'ended' || awaitsScores(state)) return false;
  state.phase = 'final';
  return true;
}

/** A late frame: its rows have yet to be scored. */
export function goOn(state: RunEnd): void {
  if (state.phase === 'final') state.phase = 'ended';
}

/** Whether rows are recorded that no published answer has seen. */
export function awaitsScores({ groups, branches, stepFrames, settledStepFrames }: ScoredSoFar): boolean {
  if (stepFrames !== settledStepFrames || awaitsBranches(branches) > 0) return true;
  return [...groups.values()].some(awaitsScore);
}

/** How many groups wait for an answer. */
export const waitingGroups = ({ groups, branches }: Pick<ScoredSoFar, 'groups' | 'branches'>): number =>
  [...groups.values()].filter(awaitsScore).length + awaitsBranches(branches);

function awaitsScore({ version, score, beside }: ScoredGroup): boolean {
  if (version !== (score?.version ?? 0)) return true;
  return score?.strict !== undefined && score.strict !== null && version !== beside?.version;
}
