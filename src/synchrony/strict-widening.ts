/**
 * By how much the evidence of the rows as they are is wider than that of their exchanges. What is left of the rows hangs together along the text, in
 * both agents alike; an exchange of episodes tears this apart. The exchanges are applied to the covariances themselves:
 *
 *   widening² = ⟨V, W⟩ / mean over exchanges π of ⟨V, π W πᵀ⟩    V of the source's residuals, W of the targets'; training and held-out rows, multiplied
 */
import type { Exchanges } from './exchanges.ts';
import { groupBy } from './group-by.ts';
import { zeros } from './matrix.ts';
import { movedProducts, sideOf } from './moved-products.ts';
import type { Spread } from './residual-spread.ts';
import type { StrictRows } from './strict-rows.ts';
import type { LinearAlgebra, Matrix } from './types.ts';

/** Their mean is settled by then. */
const ENOUGH_EXCHANGES = 50;

export interface WideningInput {
  rows: StrictRows;
  train: Int32Array;
  test: Int32Array;
  /** Penalties of the text, per source and per target layer. */
  sources: number[];
  targets: number[];
  spread(penalty: number): Promise<Spread>;
  exchanges: Exchanges;
}

/** Per source layer. */
export async function widenings(input: WideningInput, algebra: LinearAlgebra): Promise<number[]> {
  const { sources, train, test } = input;
  const penalties = [...new Set(sources)];
  const own: Spread[] = [];
  for (const penalty of penalties) own.push(await input.spread(penalty));
  const g = await meanSpread(input);
  const part = (side: 'train' | 'test', of: Int32Array): Promise<number[]> =>
    ratios({ h: own.map((spread) => spread[side]), g, of }, input, algebra);
  const trained = await part('train', train);
  const held = await part('test', test);
  return sources.map((penalty) => {
    const at = penalties.indexOf(penalty);
    return Math.sqrt((trained[at] as number) * (held[at] as number));
  });
}

/** Of the target layers, whose evidence is added up [n, n]. */
async function meanSpread({ rows, train, test, targets, spread }: WideningInput): Promise<Matrix> {
  const n = rows.rows.length;
  const out = zeros(n, n);
  for (const [penalty, layers] of groupBy(targets, (target) => target)) {
    const own = await spread(penalty);
    addBlock(out, own.train, { of: train, share: layers.length / targets.length });
    addBlock(out, own.test, { of: test, share: layers.length / targets.length });
  }
  return out;
}

function addBlock(out: Matrix, block: Matrix, { of, share }: { of: Int32Array; share: number }): void {
  for (let r = 0; r < of.length; r++) {
    const start = (of[r] as number) * out.cols;
    for (let c = 0; c < of.length; c++) {
      const at = start + (of[c] as number);
      out.data[at] = (out.data[at] as number) + share * (block.data[r * block.cols + c] as number);
    }
  }
}

/** Per h: its product with g as it is over the mean of those under exchanges. */
async function ratios(
  { h, g, of }: { h: Matrix[]; g: Matrix; of: Int32Array },
  { rows, exchanges }: WideningInput,
  algebra: LinearAlgebra,
): Promise<number[]> {
  const side = sideOf(rows, exchanges, of);
  const some = { ...exchanges, choices: exchanges.choices.slice(0, ENOUGH_EXCHANGES) };
  const moved = await movedProducts(some, { h, g, left: side, right: side }, algebra);
  return h.map((_, at) => {
    let sum = 0;
    for (let k = 1; k < moved.rows; k++) sum += moved.data[k * moved.cols + at] as number;
    return (Math.max(1, moved.rows - 1) * (moved.data[at] as number)) / (sum || 1);
  });
}
