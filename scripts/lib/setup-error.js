/** A fault that the reader can act on: printed as one sentence, without a stack. */
export class SetupError extends Error {}

const USAGE_STATUS = 2;

/**
 * Runs a script's main function; its number is the exit status, and one line on standard error says what a user can
 * mend: a SetupError, an error of the program with its code, a wrong flag, a file that the system refuses.
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    const advice = adviceFor(error);
    if (advice === undefined) throw error;
    console.error(`entrain: ${error.message.split('\n')[0]}${advice}`);
    process.exitCode = isUsage(error) ? USAGE_STATUS : 1;
  }
}

/** What is said after the message of an error that a user can mend; undefined for a fault of the program. */
function adviceFor(error) {
  if (error instanceof SetupError) return '';
  if (error.name === 'EntrainError') return ` (${error.code})`;
  if (isUsage(error)) return ' (--help lists the flags)';
  return error.syscall !== undefined && error.path !== undefined
    ? ': mend that, or name another place.'
    : undefined;
}

const isUsage = ({ code }) => code === 'USAGE' || String(code).startsWith('ERR_PARSE_ARGS');

/** One line about what set-up is doing, on standard error so that standard output stays the program's. */
export function say(text) {
  console.error(`· ${text}`);
}
