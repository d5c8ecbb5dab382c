/**
 * Takes what the text predicts out of states: ridge on the text's components, fitted on the training part. The penalty is the one whose fits
 * predict whole scenarios best that they have not seen, and the training rows keep what was left of them when their own scenario was left out:
 * held out or not, a row's residual comes from a fit that never saw its scenario. All of it follows from one fit per penalty (`text-ridge.ts`).
 */
import { groupBy } from '../group-by.ts';
import {
  blockOf,
  copyOf,
  joinColumns,
  splitColumns,
  subtractFrom,
  takeBlock,
  takeRows,
  transpose,
} from '../../numeric/matrix.ts';
import { remember } from '../remember.ts';
import { meanEigenvalue } from './choose-penalty.ts';
import type { StrictRows } from './rows.ts';
import { byScenario, ridgeOf, rowOf, type Scenario, type TextRidge } from './text-ridge.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

/** Share of the text's mean eigenvalue: from hardly any penalty to one that leaves the text in. */
const PENALTIES = [0.03, 0.1, 0.3, 1, 3, 10, 100, 1e4];

/** The penalty is chosen by these: they hold most of what there is, and all columns would take several times as long. */
const LEADING_COLUMNS = 16;

export interface TextInput {
  /** Components, episode means and turns out [n, p]. */
  text: Matrix;
  /** What the turn of one row says of another [n, n]. */
  byTurns: Matrix;
  rows: StrictRows;
  train: Int32Array;
  algebra: LinearAlgebra;
}

export interface TextRemoved {
  /** [n, k] */
  rest: Matrix;
  /** Text → what was taken out of a held-out row [p, k]. */
  map: Matrix;
  penalty: number;
}

export interface TextRemoval {
  /** Matrices [n, any], episode means and turns out; each gets a penalty of its own. */
  remove(parts: Matrix[]): Promise<TextRemoved[]>;
  /** The same under a penalty that is given [n, any] → [n, any]. */
  removeAt(penalty: number, m: Matrix): Promise<Matrix>;
}

export async function fitText({ text, byTurns, rows, train, algebra }: TextInput): Promise<TextRemoval> {
  const own = takeRows(text, train);
  const gram = await algebra.gram(transpose(own));
  const scenarios = [...groupBy(train.keys(), (place) => rows.scenario[train[place] as number]).values()].map(
    (places): Scenario => {
      const own = places.map((place) => train[place] as number);
      return { places, byTurns: takeBlock(byTurns, [own, own]) };
    },
  );
  const ridge = remember((penalty: number) => ridgeOf({ own, gram, scenarios, penalty }, algebra));
  const mean = meanEigenvalue(gram);
  const penalties = mean > 0 ? PENALTIES.map((share) => share * mean) : [0];
  const removal = { text, own, train, ridge, penalties, algebra };
  return {
    remove: (parts) => removeText(parts, removal),
    removeAt: async (penalty, m) => (await removeAt(penalty, m, removal)).rest,
  };
}

interface Removal {
  text: Matrix;
  own: Matrix;
  train: Int32Array;
  ridge(penalty: number): Promise<TextRidge>;
  penalties: number[];
  algebra: LinearAlgebra;
}

async function removeText(parts: Matrix[], removal: Removal): Promise<TextRemoved[]> {
  const penalties = await bestPenalties(parts, removal);
  const removed: TextRemoved[] = [];
  for (const penalty of new Set(penalties)) {
    const places = [...penalties.keys()].filter((part) => penalties[part] === penalty);
    const chosen = places.map((part) => parts[part] as Matrix);
    const widths = chosen.map((part) => part.cols);
    const { rest, map } = await removeAt(penalty, joinColumns(chosen), removal);
    const [rests, maps] = [splitColumns(rest, widths), splitColumns(map, widths)];
    for (const [at, part] of places.entries())
      removed[part] = { rest: rests[at] as Matrix, map: maps[at] as Matrix, penalty };
  }
  return removed;
}

/** Held-out rows by the whole fit, training rows each by the fit without its scenario. */
async function removeAt(penalty: number, m: Matrix, removal: Removal): Promise<Omit<TextRemoved, 'penalty'>> {
  const { text, own, train, algebra } = removal;
  const ridge = await removal.ridge(penalty);
  const along = await algebra.multiply(transpose(own), takeRows(m, train));
  const map = await algebra.multiply(ridge.inverse, along);
  const rest = subtractFrom(copyOf(m), await algebra.multiply(text, map));
  const trained = await byScenario(takeRows(rest, train), ridge, algebra);
  for (const [place, row] of train.entries()) rest.data.set(rowOf(trained, place), row * rest.cols);
  return { rest, map };
}

/** Per part, the penalty whose fits err least on scenarios left out. */
async function bestPenalties(parts: Matrix[], removal: Removal): Promise<number[]> {
  const { own, train, algebra, penalties } = removal;
  const leading = parts.map((part) => leadingColumns(part, train));
  const states = joinColumns(leading);
  const widths = leading.map(({ cols }) => cols);
  const along = await algebra.multiply(transpose(own), states);
  const best = parts.map(() => ({ penalty: penalties[0] as number, error: Infinity }));
  for (const penalty of penalties) {
    const ridge = await removal.ridge(penalty);
    const fitted = await algebra.multiply(own, await algebra.multiply(ridge.inverse, along));
    const rest = await byScenario(subtractFrom(copyOf(states), fitted), ridge, algebra);
    for (const [part, error] of squaresByPart(rest, widths).entries())
      if (error < (best[part]?.error ?? 0)) best[part] = { penalty, error };
  }
  return best.map((fit) => fit.penalty);
}

function leadingColumns(m: Matrix, rows: Int32Array): Matrix {
  const cols = Math.min(LEADING_COLUMNS, m.cols);
  return takeRows(blockOf(m, { top: 0, left: 0, rows: m.rows, cols }), rows);
}

/** Per matrix of those that stand side by side. */
function squaresByPart(m: Matrix, widths: number[]): number[] {
  const sums = widths.map(() => 0);
  for (let at = 0; at < m.data.length;)
    for (const [part, width] of widths.entries())
      for (const end = at + width; at < end; at++)
        sums[part] = (sums[part] as number) + (m.data[at] as number) ** 2;
  return sums;
}
