/** Messages of `entrain start` when it ends early, as pure functions of what is known about the run. */
import type { ViewState } from '../terminal/view-state.ts';

export interface Recorded {
  run: string;
  folder: string;
}

/** Added when the figures shown are not the final ones. */
export const lastFigures = (folder: string): string =>
  `\`entrain measure sync-r2 --run ${folder}\` scores all of it, as the analyzer would`;

/** Message after Ctrl-C: how far the run came, where it is, and how to continue it. */
export function stoppedText({ ended, finished, episodes }: ViewState, { run, folder }: Recorded): string {
  if (ended) return `stopped before the last scores; recorded in ${folder}; ${lastFigures(folder)}`;
  const reached = episodes === 0 ? 'before the first episode' : `at ${finished} of ${episodes} episodes`;
  return `stopped ${reached}; recorded in ${folder}; the same command with --run ${run} goes on`;
}
