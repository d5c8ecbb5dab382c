/** The memory under a message, so that it can be given to another thread instead of being copied. */

/** Every buffer below a value made of objects, arrays, maps and typed arrays; each once. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const visit = (part: unknown): void => {
    if (ArrayBuffer.isView(part)) found.add(part.buffer as ArrayBuffer);
    else if (part instanceof Map) for (const inner of part.values()) visit(inner);
    else if (typeof part === 'object' && part !== null) for (const inner of Object.values(part)) visit(inner);
  };
  visit(value);
  return [...found];
}
