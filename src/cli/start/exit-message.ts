/** What `entrain start` says when it ends before its time: pure functions of what is known of the run. */
import type { ViewState } from '../terminal/view-state.ts';

export interface Recorded {
  run: string;
  folder: string;
}

/** Said where the figures shown are not the last ones. */
export const lastFigures = (folder: string): string =>
  `\`entrain measure sync-r2 --run ${folder}\` scores all of it, as the analyzer would`;

/** Said after Ctrl-C: how far the run came, where it is, and how to go on. */
export function stoppedText({ ended, finished, episodes }: ViewState, { run, folder }: Recorded): string {
  if (ended) return `stopped before the last scores; recorded in ${folder}; ${lastFigures(folder)}`;
  const reached = episodes === 0 ? 'before the first episode' : `at ${finished} of ${episodes} episodes`;
  return `stopped ${reached}; recorded in ${folder}; the same command with --run ${run} goes on`;
}
