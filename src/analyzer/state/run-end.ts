/**
 * When the scores of a run are final: after the coordinator has said that it ended as planned, and everything
 * recorded is in them.
 *
 *   open ──ended as planned──▶ ended ──all of it scored──▶ final
 *                                ▲──────a late frame────────┘
 */
import { awaitsBranches, type BranchState } from '../branches/branch-state.ts';

export interface RunEnd {
  phase: 'open' | 'ended' | 'final';
}

/** How far the scores of a run are behind its recording. */
export interface ScoredSoFar {
  /** Number of steps frames sent to be scored, and of those in published scores. */
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

/** Marks the run as ended as planned; the following scores are the last ones. */
export function endRun(state: RunEnd): void {
  if (state.phase === 'open') state.phase = 'ended';
}

/** True if the scores have just become final: the run has ended, and nothing recorded is missing in them. */
export function becomesFinal(state: RunEnd & ScoredSoFar): boolean {
  if (state.phase !== 'ended' || awaitsScores(state)) return false;
  state.phase = 'final';
  return true;
}

/** Marks the scores as not final after a late frame, whose rows are not scored yet. */
export function goOn(state: RunEnd): void {
  if (state.phase === 'final') state.phase = 'ended';
}

/** Whether there are rows that no published score includes. */
export function awaitsScores({ groups, branches, stepFrames, settledStepFrames }: ScoredSoFar): boolean {
  if (stepFrames !== settledStepFrames || awaitsBranches(branches) > 0) return true;
  return [...groups.values()].some(awaitsScore);
}

/** Number of groups that wait for a score. */
export const waitingGroups = ({ groups, branches }: Pick<ScoredSoFar, 'groups' | 'branches'>): number =>
  [...groups.values()].filter(awaitsScore).length + awaitsBranches(branches);

function awaitsScore({ version, score, beside }: ScoredGroup): boolean {
  if (version !== (score?.version ?? 0)) return true;
  return score?.strict !== undefined && score.strict !== null && version !== beside?.version;
}
