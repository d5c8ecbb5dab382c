/**
 * When the scores of a run are final: once its coordinator has said that it ended as planned, and everything recorded is in them.
 *
 *   open ──ended as planned──▶ ended ──all of it scored──▶ final
 *                                ▲──────a late frame────────┘
 */
import type { GroupState, RunState } from './run-state.ts';

/** The run has ended as planned: what is scored from now on is looked at for the last time. */
export function endRun(state: RunState): void {
  if (state.phase === 'open') state.phase = 'ended';
}

/** True when the scores have just become final: the run has ended, and nothing recorded is missing in them. */
export function becomesFinal(state: RunState): boolean {
  if (state.phase !== 'ended' || awaitsScores(state)) return false;
  state.phase = 'final';
  return true;
}

/** A late frame: its rows have yet to be scored. */
export function goOn(state: RunState): void {
  if (state.phase === 'final') state.phase = 'ended';
}

/** Whether rows are recorded that no published answer has seen. */
export function awaitsScores({ groups, stepFrames, settledStepFrames }: RunState): boolean {
  const waits = ({ version, score, beside }: GroupState): boolean =>
    version !== (score?.version ?? 0) ||
    (score?.strict !== undefined && score.strict !== null && version !== beside?.version);
  return stepFrames !== settledStepFrames || [...groups.values()].some(waits);
}
