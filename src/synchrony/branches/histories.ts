/**
 * Rows of counterfactual branches, ordered by history. At a branched turn the speaker says K alternatives after the
 * same history, and the listener hears each of them in the same state: K rows that differ only in the words.
 *
 *   scenario ─ episode ─ history (a turn) ─ alternative k = 0 … K − 1        k = 0 was really said
 */
import { groupBy } from '../group-by.ts';
import { zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';

/** Row r is one alternative: the states of the speaker's model, and those of the listener's model after hearing it. */
export interface Branches {
  n: number;
  /** Labels [n], small integers. Episodes of different scenarios have different labels. */
  scenario: Int32Array;
  episode: Int32Array;
  /** Number of the turn that branches. */
  turn: Int32Array;
  /** Number k of the alternative; 0 was really said. */
  alternative: Int32Array;
  /** For each layer [n, dims]: the speaker's state at the end of its utterance. */
  source: Matrix[];
  /** For each layer [n, dims]: the listener's state that produces its reply. */
  target: Matrix[];
  /** Features of the utterance's words [n, m]; no columns if there are none. */
  words: Matrix;
  /** For each layer [n, dims]: the speaker's model after the utterance alone; no layers if there is no bystander. */
  bystander: Matrix[];
}

/** Rows [start, start + alternatives) of one history, among the rows in use. */
export interface History {
  episode: number;
  start: number;
  alternatives: number;
}

/** Contiguous rows of one scenario, ordered by episode and history. */
export interface HistoryBlock {
  scenario: number;
  start: number;
  rows: number;
  histories: History[];
}

export interface Histories {
  /** Row numbers of the input, ordered by scenario, episode, turn and k. */
  rows: Int32Array;
  blocks: HistoryBlock[];
  count: number;
  /** Histories with at least two distinct alternatives, and scenarios that have one. */
  distinct: { histories: number; scenarios: number };
}

export interface BranchMinimums {
  scenarios: number;
  /** Smallest number of histories with at least two distinct alternatives. */
  histories: number;
}

export const BRANCH_MINIMUMS: BranchMinimums = { scenarios: 6, histories: 20 };

/** Orders the histories with at least two alternatives; a single row has no variance within its history. */
export function orderHistories(branches: Branches): Histories {
  const { n, scenario, episode, turn, alternative } = branches;
  const at = (labels: Int32Array, row: number): number => labels[row] as number;
  const order = Array.from({ length: n }, (_, row) => row).sort((a, b) => {
    for (const labels of [scenario, episode, turn, alternative])
      if (at(labels, a) !== at(labels, b)) return at(labels, a) - at(labels, b);
    return a - b;
  });
  const all = groupBy(order, (row) => `${at(scenario, row)} ${at(episode, row)} ${at(turn, row)}`);
  const kept = [...all.values()].filter((rows) => rows.length > 1);
  const blocks: HistoryBlock[] = [];
  const distinct = { histories: 0, scenarios: 0 };
  let start = 0;
  for (const own of groupBy(kept, ([row]) => at(scenario, row as number)).values()) {
    const histories = own.map((rows) => {
      const history = { episode: at(episode, rows[0] as number), start, alternatives: rows.length };
      start += rows.length;
      return history;
    });
    const first = histories[0] as History;
    blocks.push({
      scenario: at(scenario, own[0]?.[0] as number),
      start: first.start,
      rows: start - first.start,
      histories,
    });
    const found = own.filter((rows) => differ(branches.source, rows)).length;
    distinct.histories += found;
    distinct.scenarios += found > 0 ? 1 : 0;
  }
  return { rows: Int32Array.from(kept.flat()), blocks, count: kept.length, distinct };
}

/** Whether two of these rows differ in some layer. */
export function differ(layers: readonly Matrix[], rows: readonly number[]): boolean {
  const [first = 0, ...others] = rows;
  return others.some((row) =>
    layers.some(({ cols, data }) => {
      for (let c = 0; c < cols; c++) if (data[row * cols + c] !== data[first * cols + c]) return true;
      return false;
    }),
  );
}

/** Why these histories give no value; undefined if they give one. */
export function tooFewHistories(
  { count, distinct }: Histories,
  minimums: BranchMinimums,
): string | undefined {
  if (count > 0 && distinct.histories === 0)
    return 'the alternatives of every history are the same: at temperature 0 a model says one thing only';
  for (const name of ['scenarios', 'histories'] as const)
    if (distinct[name] < minimums[name])
      return `too few ${name} with at least two distinct alternatives: ${distinct[name]} of ${minimums[name]}`;
  return undefined;
}

/**
 * The rows in use, centred by history [rows, cols]. The history's first row is subtracted first, so that equal
 * alternatives give exactly 0.
 */
export function centreWithin(m: Matrix, { rows, blocks }: Pick<Histories, 'rows' | 'blocks'>): Matrix {
  const { cols, data } = m;
  const out = zeros(rows.length, cols);
  const mean = new Float64Array(cols);
  for (const { start, alternatives } of blocks.flatMap(({ histories }) => histories)) {
    const first = (rows[start] as number) * cols;
    mean.fill(0);
    for (let r = start; r < start + alternatives; r++)
      for (let c = 0, from = (rows[r] as number) * cols, to = r * cols; c < cols; c++) {
        const value = (data[from + c] as number) - (data[first + c] as number);
        out.data[to + c] = value;
        mean[c] = (mean[c] as number) + value / alternatives;
      }
    for (let r = start; r < start + alternatives; r++)
      for (let c = 0, to = r * cols; c < cols; c++)
        out.data[to + c] = (out.data[to + c] as number) - (mean[c] as number);
  }
  return out;
}

/**
 * Orthonormal contrasts of the alternatives of each history [rows in use − histories, cols]: of K rows x the K − 1 rows
 *
 *   c_j = (x_0 + … + x_(j−1) − j x_j) / √(j (j + 1))        j = 1 … K − 1
 *
 * They hold all of the deviations within histories: for any columns, the inner products are those of `centreWithin`.
 * The history's first row is subtracted first, so that equal alternatives give exactly 0.
 */
export function contrastsWithin(m: Matrix, { rows, blocks, count }: Histories): Matrix {
  const { cols, data } = m;
  const out = zeros(rows.length - count, cols);
  const before = new Float64Array(cols);
  let to = 0;
  for (const { start, alternatives } of blocks.flatMap(({ histories }) => histories)) {
    const first = (rows[start] as number) * cols;
    before.fill(0);
    for (let j = 1; j < alternatives; j++) {
      const scale = 1 / Math.sqrt(j * (j + 1));
      for (let c = 0, from = (rows[start + j] as number) * cols; c < cols; c++, from++, to++) {
        const value = (data[from] as number) - (data[first + c] as number);
        out.data[to] = ((before[c] as number) - j * value) * scale;
        before[c] = (before[c] as number) + value;
      }
    }
  }
  return out;
}

/** The rows whose contrasts these are, centred by history [rows in use, cols]. */
export function rowsOfContrasts(contrasts: Matrix, { rows, blocks }: Histories): Matrix {
  const { cols, data } = contrasts;
  const out = zeros(rows.length, cols);
  let from = 0;
  for (const { start, alternatives } of blocks.flatMap(({ histories }) => histories))
    for (let j = 1; j < alternatives; j++) {
      const scale = 1 / Math.sqrt(j * (j + 1));
      for (let c = 0; c < cols; c++, from++) {
        const value = (data[from] as number) * scale;
        for (let row = start; row < start + j; row++)
          out.data[row * cols + c] = (out.data[row * cols + c] as number) + value;
        const own = (start + j) * cols + c;
        out.data[own] = (out.data[own] as number) - j * value;
      }
    }
  return out;
}
