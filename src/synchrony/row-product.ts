/** Product of two rows of one flat [n, dims] array. Four sums at once: the processor does not wait for one addition before the next. */
export function rowProduct(rows: Float64Array, dims: number, at: { x: number; y: number }): number {
  const x = at.x * dims;
  const y = at.y * dims;
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let c = 0;
  for (; c + 3 < dims; c += 4) {
    s0 += (rows[x + c] as number) * (rows[y + c] as number);
    s1 += (rows[x + c + 1] as number) * (rows[y + c + 1] as number);
    s2 += (rows[x + c + 2] as number) * (rows[y + c + 2] as number);
    s3 += (rows[x + c + 3] as number) * (rows[y + c + 3] as number);
  }
  for (; c < dims; c++) s0 += (rows[x + c] as number) * (rows[y + c] as number);
  return s0 + s1 + (s2 + s3);
}
