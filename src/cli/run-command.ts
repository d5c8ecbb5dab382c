/**
 * Loads the program that a command names, passes it the remaining arguments, and prints help. No program is imported
 * before it is needed.
 */
import { programVersion } from '../process/version.ts';
import { commandOf, COMMANDS, loadProgram, type Program } from './commands.ts';
import { errorHelp } from './error-page.ts';
import { EXAMPLES, exampleText } from './examples.ts';
import { HELP_GROUPS } from './help-groups.ts';
import { meantFlag } from './meant-flag.ts';
import { ownHelp } from './own-help.ts';
import { helpWidth, wrapHelp } from './wrap-help.ts';

const HELP_FLAGS = ['--help', '-h'];

/** @returns the exit status */
export async function runCommand(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === '--version') return print(`entrain ${await programVersion()}`);
  if (name === undefined || HELP_FLAGS.includes(name)) return printHelp(help());
  if (name === 'help') return printHelp(rest[0] === undefined ? help() : await helpOf(rest[0]));
  const command = commandOf(name);
  const program = await loadProgram(command);
  const own = ownHelp(program.usage(), name);
  if (rest.some((argument) => HELP_FLAGS.includes(argument))) return printHelp(own + exampleText(name));
  const prefix = command.prefix ?? [];
  const running = program.flags
    ? runConfigured(program, { name, prefix, argv: rest })
    : program.run([...prefix, ...rest]);
  return running.catch((error: unknown) => {
    throw meantFlag(error, { name, help: own });
  });
}

/** Runs a program with what the environment and the configuration file say beside its command line. */
async function runConfigured(
  program: Program,
  { name, prefix, argv }: { name: string; prefix: string[]; argv: string[] },
): Promise<number> {
  const { asArguments, notOn, readOuterSettings, withSource } = await import('./configuration/settings.ts');
  const settings = notOn(argv, await readOuterSettings(name, program.flags ?? {}));
  return program.run([...prefix, ...asArguments(settings), ...argv]).catch((error: unknown) => {
    throw withSource(error, settings);
  });
}

/** Help for a command or an error code. */
async function helpOf(topic: string): Promise<string> {
  const ofError = await errorHelp(topic);
  if (ofError !== undefined) return ofError;
  return ownHelp((await loadProgram(commandOf(topic))).usage(), topic) + exampleText(topic);
}

function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = HELP_GROUPS.flatMap(([heading, names]) => [
    `${heading}:`,
    '',
    ...names.map((name) => `  ${name.padEnd(width)}  ${COMMANDS[name]?.summary}`),
    '',
  ]);
  const examples = ['start', 'view', 'verify', 'export'].flatMap(
    (name) => EXAMPLES[name]?.slice(0, name === 'start' ? 2 : 1) ?? [],
  );
  const wide = Math.max(...examples.map(([call]) => call.length));
  const shown = examples.map(([call, about]) => `  ${call.padEnd(wide)}   ${about}`);
  const more = '"entrain help COMMAND" says more of one, "entrain help CODE" what to do about an error.';
  return ['entrain: live hyperscanning for language models', '', ...shown, '', ...lines, more].join('\n');
}

function printHelp(text: string): number {
  return print(wrapHelp(text, helpWidth(process.stdout.columns)));
}

function print(text: string): number {
  console.log(text);
  return 0;
}
