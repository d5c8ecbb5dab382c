/** Whether a program has a run at this moment, as seen by one that only looks on. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';

/** An owner touches its claim every second. */
const FRESH_MS = 10_000;

/** True while a claim in the run folder was touched within ten seconds. */
export async function isRunAlive(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  const claims = names.filter((name) => /^running\.\d+$/.test(name));
  const ages = await Promise.all(
    claims.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined);
      return found ? systemClock.nowMs() - found.mtimeMs : Infinity;
    }),
  );
  return ages.some((age) => age < FRESH_MS);
}
