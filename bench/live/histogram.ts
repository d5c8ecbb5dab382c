/** Reads a histogram from the text of /metrics. */

/** Upper bound in seconds → number of observations below it, summed over all other labels. */
export type Buckets = Map<number, number>;

export function readBuckets(page: string, name: string, label = ''): Buckets {
  const buckets: Buckets = new Map();
  for (const line of page.split('\n')) {
    const match = /le="([^"]+)".*\} (\d+)$/.exec(line);
    if (!line.startsWith(`${name}_bucket{`) || !line.includes(label) || !match) continue;
    const bound = match[1] === '+Inf' ? Infinity : Number(match[1]);
    buckets.set(bound, (buckets.get(bound) ?? 0) + Number(match[2]));
  }
  return buckets;
}

/** The observations between two readings. */
export function between(before: Buckets, after: Buckets): Buckets {
  return new Map([...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]));
}

export const total = (buckets: Buckets): number => buckets.get(Infinity) ?? 0;

/** The smallest bound that covers a given share of all observations. */
export function boundOf(buckets: Buckets, share: number): number {
  const bounds = [...buckets.keys()].sort((a, b) => a - b);
  return bounds.find((bound) => (buckets.get(bound) ?? 0) >= share * total(buckets)) ?? Infinity;
}
