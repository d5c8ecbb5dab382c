/**
 * Timing for the model benchmark: alternatives are run in turn within each round, and medians over rounds are reported.
 * Everything runs on one thread, so time is the CPU time of the process, which other work on the machine affects
 * little.
 */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const start = cpuMs();
  await work();
  return cpuMs() - start;
}

/** User and system time of this process so far. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Runs all of `works` in every round, so that the machine's load is the same for each. Each returns its time in
 * milliseconds.
 * @returns milliseconds, by round
 */
export async function compare<K extends string>(
  rounds: number,
  works: Readonly<Record<K, () => Promise<number>>>,
): Promise<Record<K, number[]>> {
  const names = Object.keys(works) as K[];
  const times = new Map<K, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const ms = await works[name]();
      // The first round warms up.
      if (round > 0) times.get(name)?.push(ms);
    }
  }
  return Object.fromEntries(times) as Record<K, number[]>;
}

/** Median over rounds of a / b; what slows a whole round down cancels out. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, round) => value / (b[round] ?? Number.NaN)));
}
