/** The runs of a comparison: read from their folders, and again while one of them is open or cannot be read. */
import { useEffect, useState } from 'preact/hooks';
import type { RunView } from '../../view-data.ts';
import { fetchRun, NO_RUN } from '../api.ts';

/** `lost`: the viewer does not answer. */
export type SideView = RunView | 'awaited' | 'none' | 'lost';

const AGAIN_MS = 3000;

/** @returns what is known of each run by now */
export function useSides(names: readonly string[]): ReadonlyMap<string, SideView> {
  const [views, setViews] = useState<ReadonlyMap<string, SideView>>(new Map());
  const key = [...new Set(names)].join('\n');
  useEffect(() => {
    let isOver = false;
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const read = async (run: string): Promise<void> => {
      const view = await readSide(run);
      if (isOver) return;
      setViews((were) => new Map(were).set(run, view));
      if (mayChange(view)) timers.add(setTimeout(() => void read(run), AGAIN_MS));
    };
    for (const run of key.split('\n')) void read(run);
    return () => {
      isOver = true;
      timers.forEach(clearTimeout);
    };
  }, [key]);
  return views;
}

async function readSide(run: string): Promise<SideView> {
  try {
    const found = await fetchRun(run);
    return found === NO_RUN ? 'none' : (found ?? 'awaited');
  } catch {
    return 'lost';
  }
}

const mayChange = (view: SideView): boolean =>
  typeof view === 'string' ? view !== 'none' : view.state === 'running' || view.state === 'scoring';
