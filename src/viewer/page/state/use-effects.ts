/** What the utterances of an episode did to their listeners, read again when new figures come. */
import { useEffect, useState } from 'preact/hooks';
import type { EffectsView, RunView } from '../../view-data.ts';
import { fetchEffects } from '../api.ts';

const NOTHING: EffectsView = { effects: [], movedScale: 0, partScale: 0, partNull: null };

export function useEffects(run: RunView, episode: string | undefined): EffectsView {
  const [effects, setEffects] = useState(NOTHING);
  useEffect(() => {
    if (episode === undefined) return;
    let isOver = false;
    const read = async (): Promise<void> => {
      try {
        const found = await fetchEffects(run.run, episode);
        if (!isOver) setEffects(found);
      } catch {
        // The connection was lost: the next figures ask again.
      }
    };
    void read();
    return () => {
      isOver = true;
    };
  }, [run.run, episode, run.figures]);
  return effects;
}
