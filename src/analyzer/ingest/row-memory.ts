/**
 * Counts the bytes of states that are kept of each run. Frames and rows share the same memory, so each turn counts
 * once.
 */
export interface RowMemory {
  take(run: string, bytes: number): void;
  /** Frees `bytes` of a run; by default all of them. */
  give(run: string, bytes?: number): void;
  heldBytes(): number;
  maxBytes: number;
  isFull(): boolean;
}

export function createRowMemory(maxBytes: number): RowMemory {
  const runs = new Map<string, number>();
  let held = 0;
  const change = (run: string, bytes: number): void => {
    held += bytes;
    const left = (runs.get(run) ?? 0) + bytes;
    if (left === 0) runs.delete(run);
    else runs.set(run, left);
  };
  return {
    maxBytes,
    take: change,
    give: (run, bytes) => change(run, -(bytes ?? runs.get(run) ?? 0)),
    heldBytes: () => held,
    isFull: () => held > maxBytes,
  };
}
