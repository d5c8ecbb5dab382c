/** Formats an answer for reading: one figure a line, shortened numbers, matrices as rows. */
import type { Json } from './answers.ts';

export function printAnswer(answer: Json): string {
  return `${lines(answer, '').join('\n')}\n`;
}

function lines(value: Json, indent: string): string[] {
  return Object.entries(value).flatMap(([name, entry]) => {
    if (Array.isArray(entry)) {
      return [`${indent}${name}`, ...entry.flatMap((item) => itemLines(item, `${indent}  `))];
    }
    if (typeof entry === 'object' && entry !== null)
      return [`${indent}${name}`, ...lines(entry as Json, `${indent}  `)];
    return [`${indent}${name.padEnd(18)} ${short(entry)}`];
  });
}

/** A flat item takes one line; a nested one is a block with a line before it. */
function itemLines(item: unknown, indent: string): string[] {
  const isObject = typeof item === 'object' && item !== null && !Array.isArray(item);
  const nests = isObject && Object.values(item).some((value) => typeof value === 'object' && value !== null);
  return nests ? [`${indent}-`, ...lines(item as Json, `${indent}  `)] : [`${indent}${short(item)}`];
}

function short(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(4);
  if (Array.isArray(value)) return value.map(short).join('  ');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, entry]) => `${name} ${short(entry)}`)
      .join('  ');
  }
  if (value === null) return 'no score';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
