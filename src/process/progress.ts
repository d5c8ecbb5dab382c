/**
 * How far long work is, on standard error, so that the answer stays clean: on a terminal one line that is written over, elsewhere lines when
 * they are asked for.
 */
import { systemClock, type Clock } from './clock.ts';

export interface Progress {
  /** What is being done now. Of texts that differ in numbers alone, few are shown. */
  say(text: string): void;
  /** The work is done: the line goes. */
  end(): void;
}

export interface ProgressOptions {
  out: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): boolean };
  /** Also where it is no terminal. */
  asked: boolean;
  clock: Pick<Clock, 'monotonicMs'>;
}

const SILENT: Progress = { say: () => undefined, end: () => undefined };
/** Back to the start of the line, which is emptied. */
const ANEW = '\r\u001b[K';

/** On standard error, as the flag `--progress` wants it. */
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
