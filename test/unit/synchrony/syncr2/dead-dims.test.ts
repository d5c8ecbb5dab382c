/**
 * Paper mode with constant dims in the target. The figures are those of ridge regression in NumPy 1.26 by the
 * same formulas without the constant dim; scikit-learn's r2_score gives it 1 and would make layer 0 0.811.
 */
import { expect, it } from 'vitest';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { zeros } from '../../../../src/numeric/matrix.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import { paperScore } from '../../../../src/synchrony/syncr2/paper-mode.ts';
import type { TurnPairs } from '../../../../src/synchrony/types.ts';

const N = 120;
const algebra = createPlainAlgebra();

/** ((7919 t + 104729 c + 15485863 seed + 31 t² + 17 c t) mod 1009) / 1009 − 1/2, [120, dims]. */
function states(dims: number, seed: number): Matrix {
  const out = zeros(N, dims);
  for (let t = 0; t < N; t++)
    for (let c = 0; c < dims; c++)
      out.data[t * dims + c] =
        ((t * 7919 + c * 104729 + seed * 15485863 + t * t * 31 + c * t * 17) % 1009) / 1009 - 0.5;
  return out;
}

/** x · W · share + noise · rest, W[i, j] = ((3 i + 5 j) mod 7) / 7 − 0.4. */
function driven(x: Matrix, noise: Matrix, [share, rest]: [number, number]): Matrix {
  const out = zeros(N, 5);
  for (let at = 0; at < out.data.length; at++) {
    const [t, j] = [Math.floor(at / 5), at % 5];
    let sum = 0;
    for (let i = 0; i < 4; i++) sum += (x.data[t * 4 + i] as number) * (((i * 3 + j * 5) % 7) / 7 - 0.4);
    out.data[at] = share * sum + rest * (noise.data[at] as number);
  }
  return out;
}

const held = (m: Matrix, of: (c: number) => number | undefined): Matrix => ({
  ...m,
  data: m.data.map((value, at) => of(at % m.cols) ?? value),
});
const source = [states(4, 1), states(4, 2)];
const target = [
  driven(states(4, 1), states(5, 3), [1, 0.3]),
  driven(states(4, 2), states(5, 4), [0.2, 0.5]),
] as [Matrix, Matrix];

function pairsOf(of: Pick<TurnPairs, 'source' | 'target'>): TurnPairs {
  const episode = Int32Array.from({ length: N }, (_, row) => Math.floor(row / 6));
  const none = zeros(N, 0);
  const turn = episode.map((_, row) => row % 6);
  return {
    n: N,
    ...of,
    history: none,
    reply: none,
    episode,
    scenario: episode,
    pair: new Int32Array(N),
    turn,
  };
}

const splits = [
  [0, 5, 9, 14],
  [1, 2, 3, 19],
];
const score = (of: Pick<TurnPairs, 'source' | 'target'>, shuffled = false) =>
  paperScore(pairsOf(of), { algebra, splits, seed: 1, shuffled });
const one = (c: number): number | undefined => (c === 2 ? 0.1 : undefined);

it('paper mode leaves constant dims and constant layers out of R², and counts them', async () => {
  const found = await score({ source, target: [held(target[0], one), held(target[1], () => 3.25)] });
  if ('reason' in found) throw new Error(found.reason);
  const wanted = [
    [0.7723031734224481, 0.023321119390242978],
    [0.7559909105945359, -0.29446562266956916],
  ];
  for (const [split, figures] of wanted.entries())
    for (const [layer, figure] of figures.entries()) {
      expect(found.perSplit[split]?.data[2 * layer]).toBeCloseTo(figure, 9);
      expect(found.perSplit[split]?.data[2 * layer + 1]).toBeNaN();
    }
  expect(found).toMatchObject({ bestTargetLayer: [0, 0], degenerateDims: 6 });
  expect(found.unclipped).toBeCloseTo(
    (0.7723031734224481 + 0.7559909105945359 + 0.023321119390242978 - 0.29446562266956916) / 4,
    9,
  );
});

it('paper mode changes no figure if every dim varies', async () => {
  const found = await score({ source, target });
  expect(found).toMatchObject({ degenerateDims: 0 });
});

it.each([
  ['target', { source, target: target.map((layer) => held(layer, (c) => c)) }, 10],
  ['source', { source: source.map((layer) => held(layer, () => -7)), target }, 8],
] as const)('paper mode gives no score and no null if the %s does not vary', async (side, of, dims) => {
  const reason = `the ${side} does not vary: each of its ${dims} dims holds one value in all rows`;
  expect(await score(of)).toEqual({ reason });
  expect(await score(of, true)).toEqual({ reason });
});
