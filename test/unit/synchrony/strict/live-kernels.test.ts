/** Live equals offline: kernels that grew turn by turn give the score that the recorded rows give under the same scales. */
import { describe, expect, it } from 'vitest';
import { plantedWorld } from '../../../fixtures/planted/planted-world.ts';
import { createLiveKernels, type PairRow } from '../../../../src/synchrony/strict/live-kernels.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { strictFromKernels } from '../../../../src/synchrony/strict/strict-score.ts';
import { freezeScales, strictKernels } from '../../../../src/synchrony/strict/kernels.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import type { TurnPairs } from '../../../../src/synchrony/types.ts';

const algebra = createPlainAlgebra();
const { pairs } = plantedWorld({
  kind: 'coupled',
  seed: 6,
  scenarios: 8,
  episodes: 4,
  turns: 6,
  dims: 22,
  layers: 2,
});
const scales = freezeScales(pairs);

function rowOf(of: TurnPairs, row: number): PairRow {
  const at = (m: Matrix): Float64Array => m.data.subarray(row * m.cols, (row + 1) * m.cols);
  return {
    episode: of.episode[row] as number,
    scenario: of.scenario[row] as number,
    pair: of.pair[row] as number,
    turn: of.turn[row] as number,
    source: of.source.map(at),
    target: of.target.map(at),
    history: at(of.history),
    reply: at(of.reply),
  };
}

const grown = (rows: number[], maxRows = 1000) => {
  const live = createLiveKernels({ scales, maxRows });
  for (const row of rows) live.add(rowOf(pairs, row));
  return live;
};
const everyRow = Array.from({ length: pairs.n }, (_, row) => row);

describe('live kernels', () => {
  it('equal the offline ones, and so does the score, to 1e-9', async () => {
    const live = grown(everyRow);
    const offline = await strictKernels(pairs, algebra, scales);
    for (const [layer, gram] of live.kernels().source.entries()) {
      for (const [at, value] of gram.data.entries())
        expect(value).toBeCloseTo(offline.source[layer]?.data[at] as number, 9);
    }
    const options = { algebra, seed: 2, permutations: 49, bootstraps: 100 };
    const there = await strictFromKernels(live.kernels(), live.labels(), options);
    const here = await strictFromKernels(offline, pairs, options);
    if ('reason' in there || 'reason' in here) throw new Error('no score');
    expect(Math.abs(there.score - here.score)).toBeLessThan(1e-9);
    expect(Math.abs(there.excess - here.excess)).toBeLessThan(1e-9);
    expect(there.pValue).toBe(here.pValue);
  });

  it('do not change what was there when a row comes', () => {
    const before = grown(everyRow.slice(0, 40)).kernels().target[1] as Matrix;
    const after = grown(everyRow.slice(0, 60)).kernels().target[1] as Matrix;
    for (let r = 0; r < 40; r++) {
      expect(after.data.subarray(r * 60, r * 60 + 40)).toEqual(before.data.subarray(r * 40, (r + 1) * 40));
    }
  });

  it('take a turn once', () => {
    expect(grown([0, 1, 1, 0, 2]).n).toBe(3);
  });

  it('keep whole episodes under the cap, the same ones in whatever order they came', () => {
    const live = grown(everyRow, 60);
    expect(live.n).toBeLessThanOrEqual(60);
    const kept = new Set(live.labels().episode);
    for (const episode of kept) {
      expect(live.labels().episode.filter((label) => label === episode)).toHaveLength(6);
    }
    expect(new Set(grown(everyRow.toReversed(), 60).labels().episode)).toEqual(kept);
    const alone = grown(everyRow.filter((row) => kept.has(pairs.episode[row] as number)));
    expect(live.kernels().source[0]?.data).toEqual(alone.kernels().source[0]?.data);
  });
});
