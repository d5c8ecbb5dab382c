/**
 * ‖Z_test − Cᵀ Z_train‖² for every C of one list and every Z of another, without computing any prediction:
 *
 *   ‖Z_test‖² − 2 ⟨C, Z_train Z_testᵀ⟩ + ⟨C Cᵀ, Z_train Z_trainᵀ⟩
 *
 * No Gram matrix is ever whole in memory. For each tile, the tile of every matrix is one row of a stack, and
 * the product of the two stacks holds all pairs.
 */
import { rowRange, zeros } from '../matrix.ts';
import { dotAt } from '../row-product.ts';
import type { Matrix } from '../linear-algebra.ts';
import type { Product, ProductJob } from './product-into.ts';
import type { ScratchMemory } from './scratch-memory.ts';
import { areaOf, isDiagonal, rowBands, upperTiles, type Tile } from './tiles.ts';

interface Tools {
  multiplyTransposed: Product;
  scratch: ScratchMemory;
}

/** C [train, test] and Z [train + test, any], test rows last → [weights.length, targets.length]. */
export async function tiledSquaredErrors(
  weights: Matrix[],
  targets: Matrix[],
  { multiplyTransposed, scratch }: Tools,
): Promise<Matrix> {
  const total = zeros(weights.length, targets.length);
  const [first] = weights;
  if (!first) return total;
  const { rows: train, cols: test } = first;
  const largest = Math.max(...upperTiles(train).map(areaOf), ...rowBands(train, test).map(areaOf));
  await scratch.lend([weights.length * largest, targets.length * largest], async (lent) => {
    const [left, right] = lent as [Float64Array, Float64Array];
    for (const tile of upperTiles(train)) {
      const stacks = [stackOf(weights, areaOf(tile), left), stackOf(targets, areaOf(tile), right)] as const;
      await multiplyTransposed.all(stacks.flatMap(({ places }) => places.map(tileJob(tile))));
      const part = await multiplyTransposed.one(stacks[0].matrix, stacks[1].matrix);
      addTimes(total, part, isDiagonal(tile) ? 1 : 2);
    }
    for (const band of rowBands(train, test)) {
      const stacks = [stackOf(weights, areaOf(band), left), stackOf(targets, areaOf(band), right)] as const;
      for (const { m, into } of stacks[0].places) into.set(rowRange(m, band.top, band.bottom).data);
      await multiplyTransposed.all(
        stacks[1].places.map(tileJob({ ...band, left: train, right: train + test })),
      );
      addTimes(total, await multiplyTransposed.one(stacks[0].matrix, stacks[1].matrix), -2);
    }
  });
  addOwn(
    total,
    targets.map((target) => squaresFrom(target, train)),
  );
  return total;
}

/** The same part of every matrix, one matrix per row. */
interface Stack {
  /** [matrices, size]. */
  matrix: Matrix;
  places: Place[];
}

/** Which row, and which part, a matrix is to be written to. */
interface Place {
  m: Matrix;
  into: Float64Array;
}

/** A stack at the beginning of `buffer`; its values are not written yet. */
function stackOf(matrices: Matrix[], size: number, buffer: Float64Array): Stack {
  const data = buffer.subarray(0, matrices.length * size);
  const places = matrices.map((m, index) => ({ m, into: data.subarray(index * size, (index + 1) * size) }));
  return { matrix: { rows: matrices.length, cols: size, data }, places };
}

/** The product that computes one tile of m mᵀ. */
const tileJob =
  ({ top, bottom, left, right }: Tile) =>
  ({ m, into }: Place): ProductJob => ({
    a: rowRange(m, top, bottom),
    b: rowRange(m, left, right),
    into,
  });

function addTimes({ data }: Matrix, part: Matrix, times: number): void {
  for (let at = 0; at < data.length; at++)
    data[at] = (data[at] as number) + times * (part.data[at] as number);
}

/** Adds to each column its own value. */
function addOwn({ data }: Matrix, own: number[]): void {
  for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) + (own[at % own.length] as number);
}

/** Σ z² over the rows from `start` on. */
function squaresFrom({ rows, cols, data }: Matrix, start: number): number {
  const from = start * cols;
  return dotAt(data, data, { x: from, y: from, count: rows * cols - from });
}
