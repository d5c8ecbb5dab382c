/**
 * Compares with the figures of scikit-learn, SciPy and HyPyP in ../shared: R² maps to 1e-6 and better, all
 * others to 1e-9.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readLayers, readTurnPairs } from '../../../src/measure/arrays.ts';
import { readNpy } from '../../../src/recordings/formats/npy.ts';
import { createOrtAlgebra } from '../../../src/numeric/ort/ort-algebra.ts';
import { analyticSignal, overChannels } from '../../../src/synchrony/measures/analytic.ts';
import { MEASURES } from '../../../src/synchrony/measures/index.ts';
import { copyOf, transpose } from '../../../src/numeric/matrix.ts';
import { paperScore } from '../../../src/synchrony/syncr2/paper-mode.ts';
import { streamedPaperScore, type LayerSource } from '../../../src/synchrony/syncr2/streamed-map.ts';
import { createPlainAlgebra } from '../../../src/numeric/plain-algebra.ts';
import type { Matrix } from '../../../src/numeric/linear-algebra.ts';
import { hasShared, sharedFolder } from '../../fixtures/shared.ts';

const algebra = createPlainAlgebra();
const matrixEngine = await createOrtAlgebra({ threads: 1 });
afterAll(() => matrixEngine.close());

const golden = (set: string, file: string): string => join(sharedFolder('golden'), set, file);
const expected = (set: string): unknown => JSON.parse(readFileSync(golden(set, 'expected.json'), 'utf8'));

function farthest(found: Iterable<number>, wanted: number[]): number {
  const values = [...found];
  expect(values.length).toBe(wanted.length);
  return Math.max(...values.map((value, at) => Math.abs(value - (wanted[at] as number))));
}

interface MapFigures {
  alpha: number;
  test_episodes: number[][];
  r2_per_split: number[][][];
  r2_mean: number[][];
  best_target_layer: number[];
  sync_r2: number;
  sync_r2_unclipped: number;
}

describe.skipIf(!hasShared)('the golden figures', () => {
  const sets = ['syncr2-tall', 'syncr2-wide', 'syncr2-unrelated', 'syncr2-massive_float16'];
  const backends = { 'plain TypeScript': algebra, 'ONNX Runtime': matrixEngine };
  it.each(Object.entries(backends).flatMap(([name, backend]) => sets.map((set) => ({ name, backend, set }))))(
    'of the SyncR² map $set with $name are reproduced',
    async ({ set, backend }) => {
      const want = expected(set) as MapFigures;
      const { pairs } = await readTurnPairs({
        a: golden(set, 'A.npy'),
        b: golden(set, 'B.npy'),
        episode: golden(set, 'episode.npy'),
      });
      const score = await paperScore(pairs, {
        algebra: backend,
        lambda: want.alpha,
        splits: want.test_episodes,
        seed: 1,
      });
      if ('reason' in score) throw new Error(score.reason);
      for (const [k, split] of score.perSplit.entries()) {
        expect(farthest(split.data, (want.r2_per_split[k] as number[][]).flat())).toBeLessThan(1e-9);
      }
      expect(farthest(score.map.data, want.r2_mean.flat())).toBeLessThan(1e-9);
      expect(score.bestTargetLayer).toEqual(want.best_target_layer);
      expect(score.syncR2).toBeCloseTo(want.sync_r2, 9);
      expect(score.unclipped).toBeCloseTo(want.sync_r2_unclipped, 9);
    },
  );

  it.each(sets)('of the SyncR² map %s are reproduced with one layer in memory at a time', async (set) => {
    const want = expected(set) as MapFigures;
    const { pairs } = await readTurnPairs({
      a: golden(set, 'A.npy'),
      b: golden(set, 'B.npy'),
      episode: golden(set, 'episode.npy'),
    });
    const side = (layers: Matrix[]): LayerSource => ({
      layers: layers.length,
      dims: layers[0]?.cols ?? 0,
      read: (layer) => Promise.resolve(copyOf(layers[layer] as Matrix)),
    });
    const input = { rows: pairs, source: side(pairs.source), target: side(pairs.target) };
    const options = { algebra: matrixEngine, lambda: want.alpha, splits: want.test_episodes, seed: 1 };
    for (const budgetBytes of [1, 3e6]) {
      const score = await streamedPaperScore(input, { ...options, budgetBytes });
      if ('reason' in score) throw new Error(score.reason);
      for (const [k, split] of score.perSplit.entries())
        expect(farthest(split.data, (want.r2_per_split[k] as number[][]).flat())).toBeLessThan(1e-9);
      expect(score.syncR2).toBeCloseTo(want.sync_r2, 9);
      expect(score.splits).toHaveLength(want.test_episodes.length);
    }
  });

  it('of the similarity measures are reproduced', async () => {
    const want = expected('similarity') as Record<string, number>;
    const lists = expected('similarity') as Record<string, number[]>;
    const [a] = (await readLayers(golden('similarity', 'X.npy'))) as [Matrix];
    const [b] = (await readLayers(golden('similarity', 'Y.npy'))) as [Matrix];
    const of = async (name: string) => {
      const answer = await MEASURES.find((measure) => measure.name === name)?.compute(a, b, { algebra });
      if (answer === undefined || !('value' in answer)) throw new Error(`${name} gave no value`);
      return answer;
    };
    expect((await of('cka')).value).toBeCloseTo(want['linear_cka'] as number, 9);
    expect((await of('cka-unbiased')).value).toBeCloseTo(want['linear_cka_unbiased'] as number, 9);
    const rsa = await of('rsa');
    expect(rsa.value).toBeCloseTo(want['rsa_spearman'] as number, 9);
    expect(rsa.more?.['pearson']).toBeCloseTo(want['rsa_pearson'] as number, 9);
    const svcca = await of('svcca');
    expect(svcca.value).toBeCloseTo(want['svcca_k10_mean'] as number, 9);
    expect(farthest(svcca.more?.['correlations'] as number[], lists['svcca_k10'] as number[])).toBeLessThan(
      1e-9,
    );
    const isc = await of('isc');
    expect(isc.value).toBeCloseTo(want['isc_mean_fisher_z'] as number, 9);
    expect(farthest(isc.more?.['per_dim'] as number[], lists['isc_per_dim'] as number[])).toBeLessThan(1e-9);
  });

  it('of the oscillatory measures are reproduced', async () => {
    const { metrics } = expected('oscillatory') as { metrics: Record<string, number[][]> };
    const [signal] = (await readLayers(golden('oscillatory', 'signal.npy'))) as [Matrix];
    const steps = transpose(signal);
    const channels = (from: number, to: number): Matrix =>
      transpose({
        rows: to - from,
        cols: signal.cols,
        data: signal.data.subarray(from * signal.cols, to * signal.cols),
      });
    expect(steps.rows).toBe(256);
    for (const [name, want] of Object.entries(metrics)) {
      const measure = MEASURES.find((one) => one.name === name);
      const answer = await measure?.compute(channels(0, 3), channels(3, 6), { algebra });
      if (answer === undefined || !('matrix' in answer)) throw new Error(`${name} gave no matrix`);
      expect(farthest(answer.matrix.data, want.flat()), name).toBeLessThan(1e-9);
    }
  });

  it('of the analytic signal are reproduced', async () => {
    const [signal] = (await readLayers(golden('oscillatory', 'signal.npy'))) as [Matrix];
    const imaginary = await readNpy(golden('oscillatory', 'analytic_im.npy'));
    const found = analyticSignal(signal.data.subarray(0, 256));
    expect(farthest(found.im, [...imaginary.data.subarray(0, 256)])).toBeLessThan(1e-9);
    expect(overChannels([found], () => 1)).toHaveProperty('matrix');
  });
});
