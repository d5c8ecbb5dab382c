/**
 * Converts labels of rows from a file to small integers, counted from 0 in sorted order. Two labels are the
 * same only if the file holds the same value or text, so the names of episodes do not change a figure.
 */
import type { NpyLabel } from '../recordings/formats/npy.ts';

export interface RowNames {
  /** [n]. */
  ids: Int32Array;
  /** Label as text → its id. */
  idOf: ReadonlyMap<string, number>;
}

export function nameRows(labels: readonly NpyLabel[]): RowNames {
  const byText = new Map(labels.map((label) => [textOf(label), label]));
  const ordered = [...byText].toSorted(([, x], [, y]) => (x < y ? -1 : x > y ? 1 : 0));
  const idOf = new Map(ordered.map(([text], id) => [text, id]));
  return { ids: Int32Array.from(labels, (label) => idOf.get(textOf(label)) as number), idOf };
}

/** −0 and 0 are the same label. */
const textOf = (label: NpyLabel): string => String(label);

/** Why the labels do not distinguish rows reliably; undefined if they do. */
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
