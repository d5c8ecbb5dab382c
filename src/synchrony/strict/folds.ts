/** Kernels → components → every fold of a strict score: the sums per scenario, and the same sums under exchanges of episodes. */
import { leadingComponents } from '../../numeric/principal-components.ts';
import type { Exchanges } from './permutations.ts';
import { takeBlock, takeRows, zeros } from '../../numeric/matrix.ts';
import {
  centreGramByEpisode,
  fitResidualiser,
  heldOutRows,
  trainingRows,
  type Coefficients,
  type Residual,
} from './residuals.ts';
import { fitLayers, type FoldData, type LayerFit } from './fit.ts';
import type { StrictKernels } from './kernels.ts';
import { addFoldToNull, type NullSums } from './null.ts';
import type { StrictRows } from './rows.ts';
import { addFoldToUndriven, drawUndriven, wideningsOf, type WideningFold } from './variance-correction.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

const MOST_COMPONENTS = 64;
const ROWS_PER_COMPONENT = 8;
/** Text is to be taken out as far as it reaches; its penalty sees to it that what it hardly has does no harm. */
const MOST_TEXT_COMPONENTS = 128;

/** Everything of the usable rows that does not depend on the fold. */
export interface StrictComponents {
  sources: Matrix[];
  targets: Matrix[];
  /** Per target layer [n]: what a row holds beyond the components; counted as not explained. */
  leftover: Float64Array[];
  text: Matrix;
}

export interface FoldSums {
  /** [source layers, scenarios] */
  explained: Matrix;
  total: Matrix;
  /** [source layers, folds]: the target layer chosen. */
  chosen: number[][];
  /** The first exchange is none at all: the rows as they are. */
  nulls: NullSums;
  /** Per source layer: how much wider moved evidence is to be. */
  widening: number[];
}

export async function strictComponents(
  kernels: StrictKernels,
  rows: StrictRows,
  options: { algebra: LinearAlgebra; beyond: 'history' | 'words' },
): Promise<StrictComponents> {
  const count = Math.min(MOST_COMPONENTS, Math.floor(rows.rows.length / ROWS_PER_COMPONENT));
  const centred = (gram: Matrix): Matrix =>
    centreGramByEpisode(takeBlock(gram, [rows.rows, rows.rows]), rows.episode);
  const components = (gram: Matrix, wanted = count): Promise<Matrix> =>
    leadingComponents(gram, wanted, options.algebra);
  const sources: Matrix[] = [];
  for (const gram of kernels.source) sources.push(await components(centred(gram)));
  const targets: Matrix[] = [];
  const leftover: Float64Array[] = [];
  for (const gram of kernels.target.map(centred)) {
    const scores = await components(gram);
    targets.push(scores);
    leftover.push(diagonalBeyond(gram, scores));
  }
  const mostText = Math.min(MOST_TEXT_COMPONENTS, rows.rows.length);
  const grams = options.beyond === 'words' ? [kernels.history, kernels.reply] : [kernels.history];
  const text = await components(sumOfNormed(grams.map(centred)), mostText);
  return { sources, targets, leftover, text };
}

function diagonalBeyond(gram: Matrix, scores: Matrix): Float64Array {
  return Float64Array.from({ length: gram.rows }, (_, r) => {
    let held = 0;
    for (let c = 0; c < scores.cols; c++) held += (scores.data[r * scores.cols + c] as number) ** 2;
    return Math.max(0, (gram.data[r * gram.rows + r] as number) - held);
  });
}

/** Kernels brought to one trace and added. */
function sumOfNormed(grams: Matrix[]): Matrix {
  const n = grams[0]?.rows ?? 0;
  const out = zeros(n, n);
  for (const gram of grams) {
    let trace = 0;
    for (let r = 0; r < n; r++) trace += gram.data[r * n + r] as number;
    if (trace <= 0) continue;
    for (let at = 0; at < out.data.length; at++) {
      out.data[at] = (out.data[at] as number) + (n * (gram.data[at] as number)) / trace;
    }
  }
  return out;
}

/** One fitted fold, for those who want to apply it to other rows. */
export interface FittedFold {
  fold: number;
  data: FoldData;
  fits: LayerFit[];
  /** What `data` is the rest of, per source and target layer. */
  removed: { sources: Coefficients[]; targets: Coefficients[] };
  /** The part of the text that the turn tells [turns − 1, p]. */
  textByTurn: Matrix;
  components: StrictComponents;
}

export interface FoldOptions {
  algebra: LinearAlgebra;
  exchanges: Exchanges;
  seed: number;
  onFold?: ((fold: FittedFold) => void) | undefined;
}

export async function fitFolds(
  components: StrictComponents,
  rows: StrictRows,
  options: FoldOptions,
): Promise<FoldSums> {
  const { algebra, exchanges, seed, onFold } = options;
  const layers = components.sources.length;
  const sums: Omit<FoldSums, 'widening'> = {
    explained: zeros(layers, rows.scenarios),
    total: zeros(layers, rows.scenarios),
    chosen: Array.from({ length: layers }, () => []),
    nulls: {
      explained: zeros(layers, exchanges.choices.length),
      moved: zeros(layers, exchanges.choices.length),
      kept: zeros(layers, exchanges.choices.length),
    },
  };
  const undriven = await drawUndriven({ rows, text: components.text, layers, exchanges, seed }, algebra);
  for (const fold of [...new Set(rows.fold)].sort((a, b) => a - b)) {
    const { data, ofTargets, ...taken } = await foldData(components, rows, { fold, algebra });
    const fits = await fitLayers(data, algebra);
    for (const [layer, fit] of fits.entries()) {
      (sums.chosen[layer] as number[]).push(fit.target);
      addExplained(sums, { data, fit, layer, leftover: components.leftover[fit.target] as Float64Array });
    }
    await addFoldToNull(sums.nulls, { data, fits }, { exchanges, algebra });
    const hats = fits.map((fit) => fit.evidenceHat);
    await addFoldToUndriven(undriven, { ...data, hats, ...ofTargets }, algebra);
    onFold?.({ fold, data, fits, ...taken, components });
  }
  return { ...sums, widening: wideningsOf(undriven) };
}

interface FoldInput {
  fold: number;
  algebra: LinearAlgebra;
}

type TextOfTargets = Pick<WideningFold, 'penalties' | 'residualsAt'>;

async function foldData(
  components: StrictComponents,
  rows: StrictRows,
  { fold, algebra }: FoldInput,
): Promise<Pick<FittedFold, 'data' | 'removed' | 'textByTurn'> & { ofTargets: TextOfTargets }> {
  const { residuals, residualsAt, textByTurn } = await fitResidualiser({
    rows,
    text: components.text,
    fold,
    algebra,
  });
  const [train, test] = [trainingRows(rows, fold), heldOutRows(rows, fold)];
  const all = await residuals([...components.sources, ...components.targets]);
  const sources = all.slice(0, components.sources.length);
  const targets = all.slice(components.sources.length);
  const coefficients = (of: Residual[]): Coefficients[] => of.map((residual) => residual.coefficients);
  const data: FoldData = {
    rows,
    train,
    test,
    sources: sources.map(({ rest }) => rest),
    targets: targets.map(({ rest }) => rest),
  };
  const removed = { sources: coefficients(sources), targets: coefficients(targets) };
  const penalties = targets.map(({ penalty }) => penalty);
  return { data, removed, textByTurn, ofTargets: { penalties, residualsAt } };
}

function addExplained(
  sums: Pick<FoldSums, 'explained' | 'total'>,
  add: { data: FoldData; fit: LayerFit; layer: number; leftover: Float64Array },
): void {
  const { data, fit, layer, leftover } = add;
  const truth = takeRows(data.targets[fit.target] as Matrix, data.test);
  for (const [r, row] of data.test.entries()) {
    let explained = 0;
    let total = leftover[row] as number;
    for (let at = r * truth.cols; at < (r + 1) * truth.cols; at++) {
      const p = fit.predicted.data[at] as number;
      const w = truth.data[at] as number;
      explained += 2 * p * w - p * p;
      total += w * w;
    }
    const place = layer * sums.total.cols + (data.rows.scenario[row] as number);
    sums.explained.data[place] = (sums.explained.data[place] as number) + explained;
    sums.total.data[place] = (sums.total.data[place] as number) + total;
  }
}
