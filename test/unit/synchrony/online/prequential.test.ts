/** The prequential score is that of a naive refit at every turn, and looks at nothing that comes later. */
import { describe, expect, it } from 'vitest';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import {
  createPrequential,
  MOST_LEARNT,
  PENALTIES,
  WARM_UP,
} from '../../../../src/synchrony/online/prequential.ts';
import type { PrequentialRow } from '../../../../src/synchrony/online/prequential-rows.ts';
import { seededRandom } from '../../../../src/numeric/random.ts';

const algebra = createPlainAlgebra();
const LAYERS = 2;
const DIMS = 3;

interface World {
  episodes: number;
  turns: number;
  /** Share of A's state in B's next one. */
  share: number;
  seed: number;
}

/** Rows of episodes, one after the other; states with an offset for each episode and a drift over turns. */
function rowsOf({ episodes, turns, share, seed }: World): PrequentialRow[] {
  const random = seededRandom(seed);
  const draw = (length: number, size = 1): number[] => Array.from({ length }, () => size * random.normal());
  return Array.from({ length: episodes }, (_, episode) => {
    const offset = draw(LAYERS * DIMS, 3);
    return Array.from({ length: turns }, (__, turn): PrequentialRow => {
      const own = draw(LAYERS * DIMS);
      const other = draw(LAYERS * DIMS);
      const next = own.map((value, k) => share * value + Math.sqrt(1 - share ** 2) * (other[k] as number));
      const placed = (state: number[]): Float32Array =>
        Float32Array.from(state, (value, k) => value + (offset[k] as number) + 0.5 * turn);
      return {
        episode,
        turn: 2 * turn,
        source: placed(own),
        sourceLayers: LAYERS,
        target: placed(next),
        targetLayers: LAYERS,
        text: Float32Array.from(draw(5)),
        words: Float32Array.from(draw(4)),
        sentence: Float32Array.from(draw(3)),
      };
    });
  }).flat();
}

/** x of A x = b, by Gaussian elimination. */
function solve(a: number[][], b: number[]): number[] {
  const m = a.map((row, r) => [...row, b[r] as number]);
  const n = m.length;
  for (let p = 0; p < n; p++) {
    const pivot = m[p] as number[];
    for (let r = p + 1; r < n; r++) {
      const row = m[r] as number[];
      const times = (row[p] as number) / (pivot[p] as number);
      for (let c = p; c <= n; c++) row[c] = (row[c] as number) - times * (pivot[c] as number);
    }
  }
  const x = Array.from({ length: n }, () => 0);
  for (let p = n - 1; p >= 0; p--) {
    const row = m[p] as number[];
    const known = x.reduce((sum, value, c) => (c > p ? sum + value * (row[c] as number) : sum), 0);
    x[p] = ((row[n] as number) - known) / (row[p] as number);
  }
  return x;
}

const dot = (a: number[], b: number[]): number =>
  a.reduce((sum, value, k) => sum + value * (b[k] as number), 0);
const unit = (a: Float32Array): number[] => {
  const values = [...a];
  const length = Math.sqrt(dot(values, values));
  return values.map((value) => value / length);
};

interface Plain {
  turn: number;
  x: number[][];
  y: number[][];
  text: number[];
  words: number[];
  sentence: number[];
}

/** The rows less the means of what came before in their episode. */
function centred(rows: PrequentialRow[]): Plain[] {
  return rows.flatMap((row, at) => {
    const before = rows.slice(0, at).filter(({ episode }) => episode === row.episode);
    if (before.length === 0) return [];
    const less = (side: 'source' | 'target'): number[][] =>
      Array.from({ length: LAYERS }, (_, layer) =>
        Array.from({ length: DIMS }, (__, c) => {
          const k = layer * DIMS + c;
          const mean = before.reduce((sum, other) => sum + (other[side][k] as number), 0) / before.length;
          return (row[side][k] as number) - mean;
        }),
      );
    return [
      {
        turn: row.turn,
        x: less('source'),
        y: less('target'),
        text: unit(row.text),
        words: unit(row.words),
        sentence: unit(row.sentence),
      },
    ];
  });
}

/** Everything anew for every row: kernel, ridge, prediction. */
function naive(rows: PrequentialRow[]): number {
  const all = centred(rows);
  const perLayer = Array.from({ length: LAYERS }, (_, layer) => {
    const scaleOf = (side: 'x' | 'y'): number[] =>
      Array.from({ length: DIMS }, (__, c) => {
        const values = all.slice(0, WARM_UP).map((row) => row[side][layer]?.[c] as number);
        return 1 / Math.sqrt((dot(values, values) / WARM_UP) * DIMS);
      });
    const [scaleX, scaleY] = [scaleOf('x'), scaleOf('y')];
    const x = all.map((row) => (row.x[layer] as number[]).map((value, c) => value * (scaleX[c] as number)));
    const y = all.map((row) => (row.y[layer] as number[]).map((value, c) => value * (scaleY[c] as number)));
    const kernel = (full: boolean, r: number, s: number): number => {
      const [a, b] = [all[r] as Plain, all[s] as Plain];
      const base =
        1 +
        Number(a.turn === b.turn) +
        dot(a.text, b.text) +
        dot(a.words, b.words) +
        dot(a.sentence, b.sentence);
      return base + (full ? dot(x[r] as number[], x[s] as number[]) : 0);
    };
    const total = (full: boolean): number => {
      const errors = PENALTIES.map(() => 0);
      let sum = 0;
      for (let r = WARM_UP; r < all.length; r++) {
        const earlier = Array.from({ length: Math.min(r, MOST_LEARNT) }, (__, s) => s);
        const found = PENALTIES.map((lambda) => {
          const gram = earlier.map((s) => earlier.map((t) => kernel(full, s, t) + (s === t ? lambda : 0)));
          const weights = solve(
            gram,
            earlier.map((s) => kernel(full, r, s)),
          );
          return (y[r] as number[]).reduce((error, value, c) => {
            const guess = dot(
              weights,
              earlier.map((s) => y[s]?.[c] as number),
            );
            return error + (value - guess) ** 2;
          }, 0);
        });
        sum += found[errors.indexOf(Math.min(...errors))] as number;
        for (const [penalty, error] of found.entries()) errors[penalty] = (errors[penalty] as number) + error;
      }
      return sum;
    };
    return 1 - total(true) / total(false);
  });
  return perLayer.reduce((sum, value) => sum + value, 0) / LAYERS;
}

async function scoreInBatches(rows: PrequentialRow[], batch: number): Promise<number> {
  const learner = createPrequential(algebra);
  for (let at = 0; at < rows.length; at += batch) await learner.take(rows.slice(at, at + batch));
  return learner.score()?.score ?? NaN;
}

describe('the prequential score', () => {
  const rows = rowsOf({ episodes: 14, turns: 6, share: 0.8, seed: 3 });

  it('equals a naive refit at every turn, to 1e-9, however many turns come at a time', async () => {
    const wanted = naive(rows);
    for (const batch of [1, 7, 84]) expect(await scoreInBatches(rows, batch)).toBeCloseTo(wanted, 9);
  });

  it('never looks ahead: what comes later changes nothing', async () => {
    const learner = createPrequential(algebra);
    await learner.take(rows.slice(0, 60));
    const before = learner.score();
    const other = createPrequential(algebra);
    const later = rows.slice(60).map((row) => ({ ...row, target: row.target.map((value) => 9 * value) }));
    await other.take(rows.slice(0, 60));
    expect(other.score()).toEqual(before);
    await other.take(later);
    await learner.take(rows.slice(60));
    expect(other.score()?.score).not.toBeCloseTo(learner.score()?.score ?? NaN, 3);
  });

  it('finds coupling, and nothing where there is only a shared offset and drift', async () => {
    const of = (share: number, seed: number) =>
      scoreInBatches(rowsOf({ episodes: 30, turns: 6, share, seed }), 200);
    expect(await of(0.8, 5)).toBeGreaterThan(0.3);
    for (const seed of [6, 7, 8]) expect(Math.abs(await of(0, seed))).toBeLessThan(0.06);
  });

  it('has no score before the first row is tested, and counts those that are', async () => {
    const learner = createPrequential(algebra);
    // Of each episode the first row sets the mean.
    const first = (WARM_UP / 5) * 6;
    await learner.take(rows.slice(0, first));
    expect(learner.score()).toBeUndefined();
    await learner.take(rows.slice(first, first + 6));
    expect(learner.score()?.tested).toBe(5);
  });

  it('goes on testing once it has learnt as much as it may', async () => {
    const many = rowsOf({ episodes: 110, turns: 6, share: 0.8, seed: 9 });
    const learner = createPrequential(algebra);
    await learner.take(many.slice(0, 600));
    await learner.take(many.slice(600));
    expect(learner.score()?.tested).toBe(550 - WARM_UP);
    expect(learner.score()?.score).toBeGreaterThan(0.3);
  });
});
