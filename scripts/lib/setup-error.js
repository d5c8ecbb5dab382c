/** A fault that the reader can act on: printed as one sentence, without a stack. */
export class SetupError extends Error {}

const USAGE_STATUS = 2;

/**
 * Runs a script's main function; its number is the exit status, and one line on standard error says what a user can
 * mend: a SetupError, a wrong flag, a file that the system refuses.
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    const isFlag = String(error.code).startsWith('ERR_PARSE_ARGS');
    const isFile = error.syscall !== undefined && error.path !== undefined;
    if (!(error instanceof SetupError || isFlag || isFile)) throw error;
    const advice = isFlag ? ' (--help lists the flags)' : isFile ? ': mend that, or name another place.' : '';
    console.error(`entrain: ${error.message.split('\n')[0]}${advice}`);
    process.exitCode = isFlag ? USAGE_STATUS : 1;
  }
}

/** One line about what set-up is doing, on standard error so that standard output stays the program's. */
export function say(text) {
  console.error(`· ${text}`);
}
