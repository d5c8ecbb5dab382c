/** Fields of a score that was computed again, held against those of its line in `scores.jsonl`: equal to the last digit. */
import { isDeepStrictEqual } from 'node:util';

interface Replayed<F extends string> {
  again: Readonly<Record<F, unknown>>;
  published: Readonly<Record<F, unknown>>;
}

/** The first that differs, as a sentence; undefined when none does. */
export function replayFields<F extends string>(
  fields: readonly F[],
  { again, published }: Replayed<F>,
): string | undefined {
  for (const field of fields) {
    const value = asWritten(again[field], published[field]);
    if (!isDeepStrictEqual(value, published[field]))
      return `${field} was published as ${JSON.stringify(published[field])} and comes out as ${JSON.stringify(value)}`;
  }
  return undefined;
}

/** As it stands in a line: those of an earlier entrain do not have what paper mode comes to without its clip. */
function asWritten(again: unknown, published: unknown): unknown {
  const older = !Object.hasOwn(Object(published) as object, 'unclipped');
  const kept = (key: string, value: unknown): unknown => (older && key === 'unclipped' ? undefined : value);
  return JSON.parse(JSON.stringify(again, kept));
}
