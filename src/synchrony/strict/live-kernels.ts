/**
 * The kernels of a strict score as they grow: under frozen scales a new turn pair adds one row and one column to each, O(n · dims) per layer, and
 * what was there stays as it is.
 *
 *   rows      [capacity, dims] per layer, standardised; grows by doubling
 *   kernel    lower triangle, row after row: row r starts at r (r + 1) / 2
 *
 * At most `maxRows` rows stay: when a new row would be one too many, the episode whose number has the largest hash goes, all its
 * rows at once, so which episodes stay does not depend on the order in which they came. Scales are frozen anew by building anew.
 */
import { rowProduct } from '../../numeric/row-product.ts';
import { zeros } from '../../numeric/matrix.ts';
import { hashIntegers } from '../../numeric/random.ts';
import type { Scales } from './scales.ts';
import type { StrictKernels, StrictScales } from './kernels.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { RowLabels } from '../types.ts';

/** One turn pair. */
export interface PairRow {
  episode: number;
  scenario: number;
  pair: number;
  turn: number;
  /** Per layer [dims]. */
  source: ArrayLike<number>[];
  target: ArrayLike<number>[];
  history: ArrayLike<number>;
  reply: ArrayLike<number>;
}

export interface LiveKernels {
  readonly n: number;
  add(row: PairRow): void;
  labels(): RowLabels;
  /** [n, n] each, in the order in which the rows came. */
  kernels(): StrictKernels;
}

export interface LiveOptions {
  scales: StrictScales;
  maxRows: number;
}

type Label = Pick<PairRow, 'episode' | 'scenario' | 'pair' | 'turn'>;

export function createLiveKernels({ scales, maxRows }: LiveOptions): LiveKernels {
  const source = scales.source.map(growingGram);
  const target = scales.target.map(growingGram);
  const history = growingGram(scales.history);
  const reply = growingGram(scales.reply);
  const all = [...source, ...target, history, reply];
  let labels: Label[] = [];
  const makeRoom = (): void => {
    const leaving = farthestEpisode(labels);
    const staying = [...labels.keys()].filter((row) => labels[row]?.episode !== leaving);
    for (const gram of all) gram.keep(staying);
    labels = staying.map((row) => labels[row] as Label);
  };
  return {
    get n() {
      return labels.length;
    },
    add: ({ episode, scenario, pair, turn, ...values }) => {
      if (labels.some((known) => known.episode === episode && known.turn === turn)) return;
      labels.push({ episode, scenario, pair, turn });
      for (const [layer, gram] of source.entries()) gram.add(values.source[layer] as ArrayLike<number>);
      for (const [layer, gram] of target.entries()) gram.add(values.target[layer] as ArrayLike<number>);
      history.add(values.history);
      reply.add(values.reply);
      if (labels.length > maxRows) makeRoom();
    },
    labels: () => asColumns(labels),
    kernels: () => ({
      source: source.map((gram) => gram.matrix()),
      target: target.map((gram) => gram.matrix()),
      history: history.matrix(),
      reply: reply.matrix(),
      degenerateDims: scales.target.reduce((sum, layer) => sum + layer.degenerate, 0),
    }),
  };
}

function asColumns(labels: Label[]): RowLabels {
  return {
    episode: Int32Array.from(labels, (label) => label.episode),
    scenario: Int32Array.from(labels, (label) => label.scenario),
    pair: Int32Array.from(labels, (label) => label.pair),
    turn: Int32Array.from(labels, (label) => label.turn),
  };
}

/** The episode that has the largest hash. */
function farthestEpisode(labels: Label[]): number {
  const hash = (episode: number): number => hashIntegers(episode, 6);
  return labels.reduce(
    (top, { episode }) => (hash(episode) > hash(top) ? episode : top),
    labels[0]?.episode ?? 0,
  );
}

interface GrowingGram {
  add(row: ArrayLike<number>): void;
  keep(rows: number[]): void;
  matrix(): Matrix;
}

function growingGram(scales: Scales): GrowingGram {
  const dims = scales.factor.length;
  let n = 0;
  let rows = new Float64Array(0);
  let kernel = new Float64Array(0);
  return {
    add: (row) => {
      rows = withRoom(rows, (n + 1) * dims);
      kernel = withRoom(kernel, triangle(n + 1));
      for (let c = 0; c < dims; c++) {
        rows[n * dims + c] =
          ((row[c] as number) - (scales.offset[c] as number)) * (scales.factor[c] as number);
      }
      for (let r = 0; r <= n; r++) kernel[triangle(n) + r] = rowProduct(rows, dims, { x: r, y: n });
      n += 1;
    },
    keep: (staying) => {
      // Staying rows are in ascending order, so every move goes towards the front.
      for (const [to, from] of staying.entries()) {
        rows.copyWithin(to * dims, from * dims, (from + 1) * dims);
        for (let k = 0; k <= to; k++)
          kernel[triangle(to) + k] = kernel[triangle(from) + (staying[k] as number)] as number;
      }
      n = staying.length;
    },
    matrix: () => unpacked(kernel, n),
  };
}

/** Entries of a lower triangle of n rows. */
const triangle = (n: number): number => (n * (n + 1)) / 2;

function withRoom(data: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  if (data.length >= length) return data;
  const larger = new Float64Array(2 * length);
  larger.set(data);
  return larger;
}

function unpacked(kernel: Float64Array, n: number): Matrix {
  const out = zeros(n, n);
  for (let r = 0, at = 0; r < n; r++) {
    for (let c = 0; c <= r; c++, at++) {
      out.data[r * n + c] = kernel[at] as number;
      out.data[c * n + r] = kernel[at] as number;
    }
  }
  return out;
}
