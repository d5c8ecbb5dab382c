/**
 * The map of rung 2 at turns where no state was replaced: from A's state before it speaks to B's state once it has
 * heard. Both sides are centred by scenario × turn, columns are divided by their standard deviation, and leading
 * components are taken: k = min(64, rows / 8), as in strict mode. The map without some scenarios is a ridge fit to
 * the others, with one penalty, 3 × the mean eigenvalue.
 *
 *   M = (Σ G_s + λI)⁻¹ Σ C_s,   G = ZᵀZ, C = ZᵀW of the scenarios s that are not left out
 */
import { solveSymmetric } from '../../numeric/cholesky.ts';
import { columnMeans } from '../../numeric/columns.ts';
import { addTo, joinColumns, rowRange, splitColumns, zeros } from '../../numeric/matrix.ts';
import { rowSquares } from '../../numeric/row-product.ts';
import { settledComponents } from '../../numeric/principal-components.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { groupBy } from '../group-by.ts';
import { meanEigenvalue } from '../strict/choose-model.ts';
import type { NoScore } from '../types.ts';
import type { BranchMinimums } from './histories.ts';

/** Row r is a turn at which nothing was replaced. */
export interface UnpatchedRows {
  n: number;
  /** Labels [n]. */
  scenario: Int32Array;
  turn: Int32Array;
  /** A's state before it speaks, at the layer that is replaced elsewhere [n, dims]. */
  source: Matrix;
  /** Per layer [n, dims]: B's state once it has heard, the mean over what A might have said. */
  target: Matrix[];
}

export interface NaturalMap {
  /** Rows [n, dims] of A's states, or of a layer of B's, in the map's components, and their squares in all. */
  project(m: Matrix, layer?: number): { scores: Matrix; energy: Float64Array };
  /** Per target layer the map [k, k] without these scenarios. */
  without(scenarios: readonly number[]): Matrix[];
  /** Per target layer: what the map without these scenarios predicts of A's states in components [n, k]. */
  predict(source: Matrix, scenarios: readonly number[]): Matrix[];
}

/** Turns without a replaced state that the map needs. */
const FEWEST_TURNS = 60;
const MOST_COMPONENTS = 64;
const ROWS_PER_COMPONENT = 8;
const PENALTY = 3;

export async function naturalMap(
  rows: UnpatchedRows,
  { algebra, minimums }: { algebra: LinearAlgebra; minimums: BranchMinimums },
): Promise<NaturalMap | NoScore> {
  const order = comparable(rows);
  const scenarios = groupBy([...order.keys()], (at) => rows.scenario[order[at] as number] as number);
  if (order.length < FEWEST_TURNS || scenarios.size < minimums.scenarios)
    return {
      reason: `too few turns without a replaced state: ${order.length} in ${scenarios.size} scenarios, ${FEWEST_TURNS} in ${minimums.scenarios} are needed`,
    };
  const source = await sideOf(rows.source, { rows, order, algebra });
  const targets: Side[] = [];
  for (const m of rows.target) targets.push(await sideOf(m, { rows, order, algebra }));
  const widths = targets.map(({ scores }) => scores.cols);
  const all = joinColumns(targets.map(({ scores }) => scores));
  const sums = new Map<number, { gram: Matrix; cross: Matrix }>();
  for (const [scenario, own] of scenarios) {
    const [z, w] = [source.scores, all].map((m) => rowRange(m, own[0] as number, (own.at(-1) as number) + 1));
    const [left, right] = [z as Matrix, w as Matrix];
    sums.set(scenario, {
      gram: await algebra.crossMultiply(left, left),
      cross: await algebra.crossMultiply(left, right),
    });
  }
  const without: NaturalMap['without'] = (left) => {
    const gram = zeros(source.scores.cols, source.scores.cols);
    const cross = zeros(source.scores.cols, all.cols);
    for (const [scenario, sum] of sums) {
      if (left.includes(scenario)) continue;
      addTo(gram, sum.gram);
      addTo(cross, sum.cross);
    }
    return splitColumns(solveSymmetric(gram, PENALTY * meanEigenvalue(gram), cross), widths);
  };
  return {
    project: (m, layer) => project(m, layer === undefined ? source : (targets[layer] as Side)),
    without,
    predict: (of, left) => without(left).map((map) => times(of, map)),
  };
}

/** Rows whose scenario and turn another row has too, by scenario and turn. */
function comparable({ n, scenario, turn }: UnpatchedRows): number[] {
  const all = Array.from({ length: n }, (_, row) => row);
  const places = groupBy(all, (row) => `${scenario[row]} ${turn[row]}`);
  const kept = [...places.values()].filter((own) => own.length > 1).flat();
  return [...groupBy(kept, (row) => scenario[row] as number).values()].flat();
}

interface Side {
  /** [rows, k], components of the centred and scaled rows. */
  scores: Matrix;
  /** [dims]: 1 / SD of each column; 0 where it does not vary. */
  factor: Float64Array;
  /** [dims, k] */
  loadings: Matrix;
}

const SMALLEST_SPREAD = 1e-9;

async function sideOf(
  m: Matrix,
  { rows, order, algebra }: { rows: UnpatchedRows; order: readonly number[]; algebra: LinearAlgebra },
): Promise<Side> {
  const centred = centredByTurn(m, rows, order);
  const squares = new Float64Array(m.cols);
  for (const [at, value] of centred.data.entries())
    squares[at % m.cols] = (squares[at % m.cols] as number) + value * value;
  const largest = squares.reduce((most, value) => Math.max(most, value), 0);
  const factor = squares.map((sum) =>
    sum > SMALLEST_SPREAD ** 2 * largest ? Math.sqrt(order.length / sum) : 0,
  );
  for (const at of centred.data.keys())
    centred.data[at] = (centred.data[at] as number) * (factor[at % m.cols] as number);
  const wanted = Math.max(1, Math.min(MOST_COMPONENTS, Math.floor(order.length / ROWS_PER_COMPONENT)));
  const scores = await settledComponents(await algebra.gram(centred), wanted, algebra);
  // Xᵀ z_p = ‖z_p‖² v_p
  const loadings = await algebra.crossMultiply(centred, scores);
  const norms = new Float64Array(scores.cols);
  for (const [at, value] of scores.data.entries())
    norms[at % scores.cols] = (norms[at % scores.cols] as number) + value * value;
  for (const at of loadings.data.keys())
    loadings.data[at] = (loadings.data[at] as number) / (norms[at % scores.cols] as number);
  return { scores, factor, loadings };
}

/** Rows in this order, without the mean of their scenario and turn. */
function centredByTurn(m: Matrix, { scenario, turn }: UnpatchedRows, order: readonly number[]): Matrix {
  const out = zeros(order.length, m.cols);
  for (const own of groupBy([...order.keys()], (at) => {
    const row = order[at] as number;
    return `${scenario[row]} ${turn[row]}`;
  }).values()) {
    const mean = columnMeans(
      m,
      Int32Array.from(own, (at) => order[at] as number),
    );
    for (const at of own)
      for (let c = 0, from = (order[at] as number) * m.cols; c < m.cols; c++)
        out.data[at * m.cols + c] = (m.data[from + c] as number) - (mean[c] as number);
  }
  return out;
}

function project(m: Matrix, { factor, loadings }: Side): { scores: Matrix; energy: Float64Array } {
  const scaled = { ...m, data: m.data.map((value, at) => value * (factor[at % m.cols] as number)) };
  return { scores: times(scaled, loadings), energy: rowSquares(scaled) };
}

function times(a: Matrix, b: Matrix): Matrix {
  const out = zeros(a.rows, b.cols);
  for (let r = 0; r < a.rows; r++)
    for (let k = 0; k < a.cols; k++) {
      const value = a.data[r * a.cols + k] as number;
      for (let c = 0, to = r * b.cols, from = k * b.cols; c < b.cols; c++, to++, from++)
        out.data[to] = (out.data[to] as number) + value * (b.data[from] as number);
    }
  return out;
}
