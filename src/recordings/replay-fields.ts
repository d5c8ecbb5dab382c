/**
 * Compares recomputed figures with those of a line in `scores.jsonl`. Another processor or version adds in
 * another order, so figures must agree to rounding; counts, seeds and words must be equal.
 */

/** Absolute for figures up to 1, relative for larger ones. */
const TOLERANCE = 1e-9;
/**
 * R² at a penalty of 0.1 may have no more digits if some dims of the states are 1e4 times the others (decision
 * 0075).
 */
const PAPER_TOLERANCE = 1e-6;

interface Replayed<F extends string> {
  again: Readonly<Record<F, unknown>>;
  published: Readonly<Record<F, unknown>>;
}

/** The first field that differs, as a sentence; undefined if none does. */
export function replayFields<F extends string>(
  fields: readonly F[],
  { again, published }: Replayed<F>,
): string | undefined {
  for (const field of fields) {
    const value = asWritten(again[field], published[field]);
    const tolerance = field === 'paper' ? PAPER_TOLERANCE : TOLERANCE;
    if (!isEqual(value, published[field], tolerance))
      return `${field} was published as ${JSON.stringify(published[field])} and comes out as ${JSON.stringify(value)}`;
  }
  return undefined;
}

/** Paper figures that earlier versions did not write. */
const LATER = ['unclipped', 'textOnly', 'byEpisode'];

/** The recomputed figures in the form of the line. */
function asWritten(again: unknown, published: unknown): unknown {
  const lacks = (key: string): boolean =>
    LATER.includes(key) && !Object.hasOwn(Object(published) as object, key);
  const kept = (key: string, value: unknown): unknown => (lacks(key) ? undefined : value);
  const written = JSON.stringify(again, kept) as string | undefined;
  return written === undefined ? undefined : JSON.parse(written);
}

function isEqual(one: unknown, other: unknown, tolerance: number): boolean {
  if (typeof one === 'number' && typeof other === 'number') return isNear(one, other, tolerance);
  if (!isRecord(one) || !isRecord(other)) return one === other;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name], tolerance))
  );
}

function isNear(one: number, other: number, tolerance: number): boolean {
  if (Number.isInteger(one) && Number.isInteger(other)) return one === other;
  return Math.abs(one - other) <= tolerance * Math.max(1, Math.abs(other));
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
