/** Lets `entrain report` write the report of a run that has ended. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { shellWord } from '../shell-word.ts';

/** The compiled `entrain` command. */
const COMMAND = fileURLToPath(new URL('../entrain.js', import.meta.url));

const TIMEOUT_MS = 120_000;

/** @returns a line that names the report, or the command that writes it where it could not be written */
export async function writeReport(folder: string): Promise<string> {
  try {
    await promisify(execFile)(process.execPath, [COMMAND, 'report', folder], { timeout: TIMEOUT_MS });
    return `report      ${join(folder, 'report.html')}`;
  } catch {
    return `report      not written; try "entrain report ${shellWord(folder)}"`;
  }
}
