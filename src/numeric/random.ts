/** Seeded randomness: the same seed gives the same splits, permutations and intervals on every machine. */

export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform integer in [0, below). */
  below(below: number): number;
  /** Standard normal. */
  normal(): number;
}

const WORD = 2 ** 32;

/** The 32-bit words of an integer, low word first: one, or two if it does not fit into 32 bits. */
function wordsOf(value: number): number[] {
  const fits = value >= -WORD / 2 && value < WORD;
  return fits ? [value | 0] : [value | 0, Math.floor(value / WORD) | 0];
}

/**
 * A 32-bit hash of safe integers (mixing of MurmurHash3), for choices that must not depend on order of arrival.
 * All bits of a value count, so seeds that differ above bit 32 draw differently.
 */
export function hashIntegers(...values: number[]): number {
  let h = 0x9747b28c;
  for (const word of values.flatMap(wordsOf)) {
    let k = Math.imul(word, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    h ^= k;
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The generator xoshiro128**; its state is filled from the seed by hashing. */
export function seededRandom(...seed: number[]): Random {
  let [a, b, c, d] = [1, 2, 3, 4].map((lane) => hashIntegers(...seed, lane)) as [
    number,
    number,
    number,
    number,
  ];
  const next = (): number => {
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  };
  const uniform = (): number => (next() * 0x200000 + (next() >>> 11)) / 0x20000000000000;
  return {
    uniform,
    below: (below) => Math.floor(uniform() * below),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** A shuffled copy (Fisher–Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const out = [...items];
  for (let last = out.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [out[last], out[other]] = [out[other] as T, out[last] as T];
  }
  return out;
}
