/** Wall times in milliseconds. */

export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Shortest time of several runs. */
export async function bestMs(times: number, work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let k = 0; k < times; k++) best = Math.min(best, await timeMs(work));
  return best;
}

export const ms = (value: number): string =>
  value < 10 ? `${value.toFixed(2)} ms` : `${value.toFixed(0)} ms`;

/** Mean time of several runs. */
export async function meanMs(times: number, one: () => Promise<unknown>): Promise<number> {
  const whole = await timeMs(async () => {
    for (let k = 0; k < times; k++) await one();
  });
  return whole / times;
}
