/** A bar of how much is done, and how long the rest may take. */

const WIDEST = 28;
const NARROWEST = 8;

/** @param room columns that it may take */
export function barText(share: number, room = WIDEST): string {
  const width = Math.max(NARROWEST, Math.min(WIDEST, room));
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** Below it the rate is too uncertain to say how long the rest takes. */
const FIRST_SHARE = 0.03;

/** Seconds until all is done, if it goes on as it went; undefined at the beginning and at the end. */
export function secondsLeft({ done, elapsedMs }: { done: number; elapsedMs: number }): number | undefined {
  return done < FIRST_SHARE || done >= 1 ? undefined : ((elapsedMs / 1000) * (1 - done)) / done;
}

export const clockText = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

/** `, about 2:10 left`; empty where nobody knows. */
export function leftText(of: { done: number; elapsedMs: number }): string {
  const seconds = secondsLeft(of);
  return seconds === undefined ? '' : `  about ${clockText(seconds)} left`;
}
