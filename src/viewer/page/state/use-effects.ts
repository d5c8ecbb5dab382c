/** What the utterances of an episode did to their listeners, read again when new figures come. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EffectsView, RunView } from '../../view-data.ts';
import { fetchEffects } from '../api.ts';
import { oneAtATime } from './one-at-a-time.ts';

const NOTHING: EffectsView = { effects: [], movedScale: 0, partScale: 0, partNull: null };

export function useEffects({ run: name, figures }: RunView, episode: string | undefined): EffectsView {
  const [effects, setEffects] = useState(NOTHING);
  const read = useRef<() => void>(undefined);
  useEffect(() => {
    if (episode === undefined) return;
    let isOver = false;
    // A server that answers more slowly than figures come would have more and more to answer.
    read.current = oneAtATime(async () => {
      if (isOver) return;
      try {
        const found = await fetchEffects(name, episode);
        if (!isOver) setEffects(found);
      } catch {
        // The connection was lost: the next figures ask again.
      }
    });
    return () => {
      isOver = true;
      read.current = undefined;
    };
  }, [name, episode]);
  useEffect(() => read.current?.(), [name, episode, figures]);
  return effects;
}
