/** How far a run is: its episodes, and after them the scoring of what was said. */
import type { RunView } from '../view-data.ts';
import { scoringProgress } from './state/scoring-progress.ts';

export function Progress({ run }: { run: RunView }) {
  const { episodes, finished, state } = run;
  if (state !== 'scoring')
    return (
      <label class="progress">
        <span>
          {finished} of {episodes} episodes
        </span>
        {finished < episodes && <progress value={finished} max={Math.max(1, episodes)} />}
      </label>
    );
  const { scored, all } = scoringProgress(run);
  if (scored === all)
    return <span class="progress">{all === 0 ? 'first figures' : 'last figures'} being computed</span>;
  return (
    <label class="progress">
      <span>
        {scored} of {all} turn pairs scored
      </span>
      <progress value={scored} max={all} />
    </label>
  );
}
