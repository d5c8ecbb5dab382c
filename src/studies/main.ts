/** `entrain import` and `entrain study`: commands on study files that start no run. */
import { importCommand, usage as importUsage } from './import-command.ts';
import { studyCommand, usage as studyUsage } from './study-command.ts';

export const usage = (): string => `${studyUsage()}\n\n${importUsage()}`;

/** Arguments with the command's name in front → exit status. */
export function run([command, ...args]: string[]): Promise<number> {
  return command === 'import' ? importCommand(args) : studyCommand(args);
}
