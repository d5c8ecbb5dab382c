/**
 * Reports the failure of a command: one sentence with its code for what a user can mend, a stack trace for a
 * fault of the program.
 */
import { EntrainError } from '../protocol/errors.ts';
import { systemFault } from './system-fault.ts';
import { shownText } from './terminal/shown-text.ts';

const USAGE_STATUS = 2;
const OWN_FAULT = 'This is a fault of entrain itself; please report it with the lines above.';
/** Status that a shell reports for a program ended by SIGPIPE. */
const BROKEN_PIPE_STATUS = 141;

/** @returns the exit status */
export function reportError(error: unknown): number {
  const known = knownFault(error);
  if (known === undefined) {
    console.error(error);
    console.error(`entrain: ${OWN_FAULT}`);
    return 1;
  }
  console.error(shownText(`entrain: ${known.message} (${known.code})`));
  return known.code === 'USAGE' ? USAGE_STATUS : 1;
}

function knownFault(error: unknown): EntrainError | undefined {
  if (error instanceof EntrainError) return error;
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return systemFault(error as NodeJS.ErrnoException);
}

/**
 * Reports errors that no `await` catches in the same way. A reader that closes the pipe, as `head` does, is no
 * fault: a program that listens for SIGTERM is told to stop, any other ends at once.
 */
export function reportUncaught(): void {
  process.on('uncaughtException', (error) => process.exit(reportError(error)));
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exit(reportError(error));
    if (!process.emit('SIGTERM')) process.exit(BROKEN_PIPE_STATUS);
  });
}
