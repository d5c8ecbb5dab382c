/**
 * `entrain completion SHELL`: prints a script with which a shell completes commands, flags and their values. It is made
 * of the help of the commands. A library would ask this program at every Tab, which takes a start of Node each time.
 */
import { EntrainError } from '../../protocol/errors.ts';
import { COMMANDS, loadProgram } from '../commands.ts';
import { ownHelp } from '../own-help.ts';
import { commandWords, type CommandWords } from './command-words.ts';
import { completionScript, SHELLS } from './shell-scripts.ts';

export const usage = (): string =>
  `entrain completion bash|zsh|fish
  Prints a script with which the shell completes commands, flags and the names of runs.

  bash   in ~/.bashrc:  source <(entrain completion bash)
  zsh    in ~/.zshrc, below compinit:  source <(entrain completion zsh)
  fish   once:  entrain completion fish > ~/.config/fish/completions/entrain.fish`;

/** @throws EntrainError `USAGE` for another shell */
export async function run(argv: string[]): Promise<number> {
  const [name, ...more] = argv;
  const shell = SHELLS.find((one) => one === name);
  if (!shell || more.length > 0)
    throw new EntrainError(
      'USAGE',
      `The shell is "${argv.join(' ')}": expected one of ${SHELLS.join(', ')}, such as "entrain completion bash".`,
    );
  console.log(completionScript(shell, await allWords()));
  return 0;
}

function allWords(): Promise<CommandWords[]> {
  return Promise.all(
    Object.entries(COMMANDS).map(async ([name, command]) => {
      const help = ownHelp((await loadProgram(command)).usage(), name);
      return commandWords(name, { summary: command.summary, help });
    }),
  );
}
