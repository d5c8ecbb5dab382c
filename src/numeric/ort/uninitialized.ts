/** Memory for a result of which every entry will be written: clearing it first would cost as much as a small product. */
export function unwritten(length: number): Float64Array {
  return new Float64Array(Buffer.allocUnsafeSlow(8 * length).buffer);
}
