/**
 * Shows the progress of long work on standard error, so that standard output holds only the result. On a
 * terminal it is one line that is overwritten; elsewhere lines are written on request.
 */
import { systemClock, type Clock } from './clock.ts';

export interface Progress {
  /** Shows what is being done. Texts that differ only in numbers are shown at most once in a while. */
  say(text: string): void;
  /** The work is done: removes the line. */
  end(): void;
}

export interface ProgressOptions {
  out: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): boolean };
  /** Whether progress was asked for where there is no terminal. */
  asked: boolean;
  clock: Pick<Clock, 'monotonicMs'>;
}

const SILENT: Progress = { say: () => undefined, end: () => undefined };
/** Moves to the start of the line and clears it. */
const ANEW = '\r\u001b[K';

/** Progress on standard error; `flag` is the value of `--progress`. */
export const stderrProgress = (flag: boolean | undefined): Progress =>
  createProgress({ out: process.stderr, asked: flag === true, clock: systemClock });

export function createProgress({ out, asked, clock }: ProgressOptions): Progress {
  if (!out.isTTY && !asked) return SILENT;
  const everyMs = out.isTTY ? 100 : 1000;
  let last = { kind: '', atMs: 0 };
  const say = (text: string): void => {
    const kind = text.replaceAll(/\d+/g, '');
    const atMs = clock.monotonicMs();
    if (kind === last.kind && atMs - last.atMs < everyMs) return;
    last = { kind, atMs };
    out.write(out.isTTY ? `${ANEW}${text.slice(0, (out.columns || 80) - 1)}` : `${text}\n`);
  };
  return { say, end: () => void (out.isTTY && out.write(ANEW)) };
}
