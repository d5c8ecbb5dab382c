/** Questions to the server, one at a time: those that are asked while one is under way become a single one after it. */

/** @param ask asks the server; its faults are its own business @returns a function that asks as soon as it may */
export function oneAtATime(ask: () => Promise<void>): () => void {
  let isAsking = false;
  let isWanted = false;
  const go = async (): Promise<void> => {
    isAsking = true;
    do {
      isWanted = false;
      await ask();
    } while (isWanted);
    isAsking = false;
  };
  return () => {
    isWanted = true;
    if (!isAsking) void go();
  };
}
