/**
 * Stops the parts of a program in order: the last one started is stopped first. One signal asks for an orderly
 * stop. A second signal, or a stop that exceeds the deadline, ends the process at once.
 */
import { systemClock } from './clock.ts';
import type { Logger } from './log.ts';

export interface Shutdown {
  /** Registers how to stop a part that was just started; after a stop was asked for it is stopped at once. */
  onStop(name: string, stop: () => Promise<void> | void): void;
  /** Stops everything, last registered first; safe to call twice. */
  stop(): Promise<void>;
  /** Settles when a stop is asked for. */
  readonly asked: Promise<void>;
  /** Whether a stop was asked for. What ends afterwards ends for that reason. */
  isAsked(): boolean;
}

const DRAIN_MS = 8000;
/**
 * Time for one part to stop when no signal came and no deadline runs, so that a program that is done ends even
 * if a part hangs.
 */
const PART_MS = 60_000;
/** Under npm one Ctrl-C arrives twice: from the terminal, and forwarded by npm. */
const SAME_SIGNAL_MS = 1000;

export function createShutdown(log: Logger): Shutdown {
  const stops: { name: string; stop: () => Promise<void> | void }[] = [];
  let ask: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (ask = resolve));
  let running: Promise<void> | undefined;
  const late: Promise<void>[] = [];
  const stopPart = async ({ name, stop }: (typeof stops)[number]): Promise<void> => {
    try {
      await inTime(stop);
    } catch (error) {
      log.error({ err: error, part: name }, 'a part did not stop cleanly');
    }
  };
  const drain = async (): Promise<void> => {
    ask();
    for (const part of stops.toReversed()) await stopPart(part);
  };
  return {
    onStop: (name, stop) => {
      if (running) late.push(stopPart({ name, stop }));
      else stops.push({ name, stop });
    },
    stop: async () => {
      await (running ??= drain());
      await Promise.all(late);
    },
    asked,
    isAsked: () => running !== undefined,
  };
}

async function inTime(stop: () => Promise<void> | void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not stopped after ${PART_MS / 1000} s`)), PART_MS);
  });
  try {
    await Promise.race([stop(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Stops the process on SIGINT, SIGTERM, or when its parent ends. A child of the supervisor
 * (`ENTRAIN_SUPERVISED=1`) has a pipe on standard input that closes when the supervisor ends, even by SIGKILL.
 */
export function endOnSignals(
  shutdown: Shutdown,
  options: { supervised: boolean; exitCode?: () => number },
): void {
  let askedAtMs: number | undefined;
  const end = (): void => {
    const nowMs = systemClock.monotonicMs();
    if (askedAtMs !== undefined) {
      if (nowMs - askedAtMs > SAME_SIGNAL_MS) process.exit(130);
      return;
    }
    askedAtMs = nowMs;
    setTimeout(() => process.exit(1), DRAIN_MS).unref();
    void shutdown.stop().then(() => process.exit(options.exitCode?.() ?? 0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  if (options.supervised) process.stdin.on('end', end).on('error', end).resume();
}
