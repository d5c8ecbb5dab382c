/** Tells how the programs of a run are, every three seconds while somebody looks at it and it is under way. */
import { systemClock } from '../../process/clock.ts';
import type { FeedMessage } from '../view-data.ts';
import { healthParts } from './health-parts.ts';
import { programFigures } from './program-figures.ts';

const EVERY_MS = 3000;

type Listener = (message: FeedMessage) => void;

interface Followed {
  listeners: Set<Listener>;
  last: FeedMessage | undefined;
  timer: NodeJS.Timeout;
}

/** @returns a function that follows a run until what it returns is called */
export function followHealth(
  runs: string,
  token: string | undefined,
): (run: string, listener: Listener) => () => void {
  const all = new Map<string, Followed>();
  return (run, listener) => {
    const followed = all.get(run) ?? begin(run);
    followed.listeners.add(listener);
    if (followed.last) listener(followed.last);
    return () => {
      followed.listeners.delete(listener);
      if (followed.listeners.size > 0) return;
      clearInterval(followed.timer);
      all.delete(run);
    };
  };

  function begin(run: string): Followed {
    const look = async (): Promise<void> => {
      const parts = healthParts(await programFigures(runs, { run, token }), systemClock.nowMs());
      followed.last = { type: 'health', parts };
      for (const listener of followed.listeners) listener(followed.last);
    };
    const timer = setInterval(() => void look(), EVERY_MS);
    const followed: Followed = { listeners: new Set(), last: undefined, timer };
    all.set(run, followed);
    void look();
    return followed;
  }
}
