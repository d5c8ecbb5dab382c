/** Keeps a program running: starts it again whenever it ends unasked, more and more seldom. */
import { fileURLToPath } from 'node:url';
import type { Logger } from '../../process/log.ts';
import type { RunClaim } from '../../process/run-folder/run-claim.ts';
import type { Shutdown } from '../../process/shutdown.ts';
import { childFault, startChild, type Child } from './child-processes.ts';

/** The compiled `entrain` command. */
const COMMAND = fileURLToPath(new URL('../entrain.js', import.meta.url));
const AGAIN_MS = { least: 1000, most: 30_000 } as const;

export interface Keeping {
  /** Environment variables with which a program connects as this user. */
  credentials(user: string): Record<string, string>;
  logFolder: string;
  claim: Pick<RunClaim, 'addChild'>;
  shutdown: Shutdown;
  log: Logger;
}

/** Starts a program under its own user, and again whenever it ends unasked. @returns its first life */
export async function keepRunning(to: Keeping, name: string, argv: string[]): Promise<Child> {
  const { logFolder, claim, shutdown, log } = to;
  const start = (): Promise<Child> =>
    startChild({ name, argv: [COMMAND, ...argv], environment: to.credentials(name), logFolder, claim });
  const first = await start();
  let current = first;
  const stopping = new AbortController();
  const again = async (waitMs: number): Promise<void> => {
    const end = await current.ended;
    if (end.asked || stopping.signal.aborted) return;
    log.error(
      { program: name, reason: (await childFault(end, logFolder)).message },
      'program ended; starting it again',
    );
    await new Promise((done) => setTimeout(done, waitMs));
    if (stopping.signal.aborted) return;
    current = await start();
    await again(Math.min(2 * waitMs, AGAIN_MS.most));
  };
  again(AGAIN_MS.least).catch((error: unknown) => {
    log.fatal({ err: error, program: name }, 'program cannot be started again');
    void shutdown.stop();
  });
  shutdown.onStop(name, async () => {
    stopping.abort();
    await current.stop();
  });
  return first;
}
