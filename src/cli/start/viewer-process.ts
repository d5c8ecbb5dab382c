/** Starts the viewer and learns its address. A run goes on without it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Child } from './child-processes.ts';

/** What the viewer is called among the programs. */
export const VIEWER = 'viewer';

const POLL_MS = 100;
const READY_MS = 60_000;

/** What it was told to show, and where: the arguments of `entrain view`. */
export function viewerArguments(settings: {
  run: string;
  runs: string;
  host: string;
  viewPort: number | undefined;
  httpTokenFile: string | undefined;
  viewTokenFile: string | undefined;
}): string[] {
  const { run, runs, host, viewPort, httpTokenFile, viewTokenFile } = settings;
  const own = viewTokenFile ?? httpTokenFile;
  const guard = own === undefined ? [] : ['--http-token-file', own];
  if (viewTokenFile !== undefined && httpTokenFile !== undefined)
    guard.push('--figures-token-file', httpTokenFile);
  const port = viewPort === undefined ? [] : ['--port', String(viewPort)];
  return ['view', run, '--live', '--host', host, ...port, '--runs', runs, ...guard];
}

/** The line for the terminal: where the viewer is, or that there is none and why. */
export async function viewerLine(viewer: Child, logFolder: string): Promise<string> {
  const log = join(logFolder, `${viewer.name}.log`);
  const state = { isOver: false };
  void viewer.ended.then(() => (state.isOver = true));
  for (let waitedMs = 0; waitedMs < READY_MS && !state.isOver; waitedMs += POLL_MS) {
    const text = await readFile(log, 'utf8').catch(() => '');
    const url = lastWith('viewer ', text)?.split(/\s+/)[1];
    const moved = lastWith('note ', text);
    if (url !== undefined)
      return `viewer       ${url}  the talk and its coupling, as they happen${moved === undefined ? '' : `\n${moved}`}`;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return `viewer       none: its log is ${log}; the run goes on, and "entrain view" shows it later`;
}

/** The last line that begins so: an earlier life wrote to the same log. */
const lastWith = (beginning: string, log: string): string | undefined =>
  log.split('\n').findLast((line) => line.startsWith(beginning));
