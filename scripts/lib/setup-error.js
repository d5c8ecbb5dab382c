/** A fault that the reader can act on: printed as one sentence, without a stack. */
export class SetupError extends Error {}

/** Runs a script's main function; its number is the exit status, a SetupError one line on standard error. */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`entrain: ${error.message}`);
    process.exitCode = 1;
  }
}

/** One line about what set-up is doing, on standard error so that standard output stays the program's. */
export function say(text) {
  console.error(`· ${text}`);
}
