/**
 * Quadratic assignment procedure: is the correlation of two tables over pairs of models more than chance? Pairs that
 * share a model are not independent, so models are permuted, and whole rows and columns go along.
 * Formula: r over all cells [i, j] that both tables have; its null the r of x[π(i), π(j)] with y[i, j] over
 * permutations π of the models. p = share of permutations with |r| at least as large. Up to 6 models all n! are taken,
 * the given order among them; above, `draws` random ones, p = (1 + as large) / (1 + draws).
 * Range: p from 1 / n!, or 1 / (1 + draws), to 1: with 4 models it cannot fall below 1/24.
 * Reference: Hubert, Schultz, 1976; Krackhardt, 1988; Phipson, Smyth, 2010.
 * No number: fewer than three models, tables of unequal size, or a table that is constant over the shared cells.
 */
import { seededRandom, shuffled } from '../../numeric/random.ts';
import type { NoScore } from '../types.ts';
import { coefficient } from './pearson.ts';

/** [models, models]: row the first of a pair, column the second; undefined if there is no figure. */
export type PairTable = readonly (readonly (number | undefined)[])[];

export interface QapResult {
  r: number;
  /** Two-sided. */
  pValue: number;
  /** Cells that both tables have. */
  cells: number;
  models: number;
  /** Permutations that p rests on, the given order included. */
  permutations: number;
  /** Every order was taken. */
  exact: boolean;
}

export interface QapOptions {
  /** Permutations drawn where there are too many to take all of them. */
  draws: number;
  seed: number;
}

const MOST_ENUMERATED = 6;
const FEWEST_CELLS = 3;
/** Of an r that differs by rounding alone one cannot say that it is smaller. */
const ROUNDING = 1e-10;

export function qap(
  x: PairTable,
  y: PairTable,
  { draws, seed }: QapOptions = { draws: 4999, seed: 1 },
): QapResult | NoScore {
  const models = x.length;
  if ([y, ...x, ...y].some((list) => list.length !== models))
    return { reason: 'the tables have unequal sizes' };
  if (models < 3) return { reason: `permuting models takes three of them, there are ${models}` };
  const given = [...x.keys()];
  const { r, cells } = correlate(x, y, given);
  if (cells < FEWEST_CELLS)
    return {
      reason: `a correlation takes ${FEWEST_CELLS} pairs of models with both figures, there are ${cells}`,
    };
  if (r === undefined) return { reason: `a table is constant over the ${cells} cells that both have` };
  const exact = models <= MOST_ENUMERATED;
  const orders = exact ? permutations(given) : drawn(given, draws, seed);
  const reached = (other: number | undefined): boolean =>
    // An order under which there is no r says nothing against chance.
    other === undefined || Math.abs(other) >= Math.abs(r) - ROUNDING;
  const large = orders.filter((order) => reached(correlate(x, y, order).r)).length;
  return { r, pValue: large / orders.length, cells, models, permutations: orders.length, exact };
}

/** r over the cells that both tables have; undefined if a table is constant over them or they are fewer than three. */
export function tableCorrelation(x: PairTable, y: PairTable): number | undefined {
  return correlate(x, y, [...x.keys()]).r;
}

/** r of x under an order of its models with y. */
function correlate(
  x: PairTable,
  y: PairTable,
  order: readonly number[],
): { r: number | undefined; cells: number } {
  const [first, second]: [number[], number[]] = [[], []];
  for (const [i, row] of y.entries())
    for (const [j, value] of row.entries()) {
      const moved = x[order[i] as number]?.[order[j] as number];
      if (value === undefined || moved === undefined) continue;
      first.push(moved);
      second.push(value);
    }
  return { r: first.length < FEWEST_CELLS ? undefined : coefficient(first, second), cells: first.length };
}

/** The given order first, which is one of those that count. */
function drawn(given: readonly number[], draws: number, seed: number): number[][] {
  const random = seededRandom(seed, 17);
  return [[...given], ...Array.from({ length: draws }, () => shuffled(given, random))];
}

function permutations(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}
