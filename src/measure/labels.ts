/**
 * Labels of rows from a file → small integers. Two labels are the same only if the file holds the same value or text;
 * the integers count
 * from 0 in the order of the labels, so what episodes are called does not change a figure.
 */
import type { NpyLabel } from '../recordings/formats/npy.ts';

export interface RowNames {
  /** [n] */
  ids: Int32Array;
  /** The label as text → its id. */
  idOf: ReadonlyMap<string, number>;
}

export function nameRows(labels: readonly NpyLabel[]): RowNames {
  const byText = new Map(labels.map((label) => [textOf(label), label]));
  const ordered = [...byText].toSorted(([, x], [, y]) => (x < y ? -1 : x > y ? 1 : 0));
  const idOf = new Map(ordered.map(([text], id) => [text, id]));
  return { ids: Int32Array.from(labels, (label) => idOf.get(textOf(label)) as number), idOf };
}

/** −0 and 0 are one label. */
const textOf = (label: NpyLabel): string => String(label);

/** Why labels tell no rows apart reliably, or undefined. */
export function labelFault(labels: readonly NpyLabel[]): string | undefined {
  const numbers = labels.filter((label) => typeof label === 'number');
  const broken = numbers.find((label) => !Number.isInteger(label));
  if (broken !== undefined) return `holds ${broken}`;
  // A double beyond 2⁵³ may stand for several whole numbers.
  const vague = numbers.find((label) => !Number.isSafeInteger(label));
  return vague === undefined
    ? undefined
    : `holds ${vague} as a float, which stands for several whole numbers`;
}
