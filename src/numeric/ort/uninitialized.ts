/**
 * Memory for a result of which every entry will be written. Clearing it first would cost as much as a small
 * product.
 */
export function uninitialized(length: number): Float64Array {
  return new Float64Array(Buffer.allocUnsafeSlow(8 * length).buffer);
}
