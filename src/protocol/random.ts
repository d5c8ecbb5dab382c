/**
 * The random generator of sampling: sfc32, seeded by one unsigned 32-bit integer. The same seed gives the same
 * numbers on every machine.
 */

/** Uniform numbers in [0, 1). */
export function createRandom(seed: number): () => number {
  let a = mix(seed);
  let b = mix(seed ^ 0x9e3779b9);
  let c = mix(seed ^ 0x85ebca6b);
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  // Seeds that differ in one bit give unrelated numbers only after some rounds.
  for (let i = 0; i < 15; i++) next();
  return next;
}

function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return bits ^ (bits >>> 15);
}
