/** Turn pairs of independent normal states, for timing only. */
import { zeros } from '../src/numeric/matrix.ts';
import { seededRandom } from '../src/numeric/random.ts';
import type { Matrix } from '../src/numeric/linear-algebra.ts';
import type { TurnPairs } from '../src/synchrony/types.ts';

export interface PairsSize {
  n: number;
  sourceLayers: number;
  targetLayers: number;
  dims: number;
}

const TURNS = 5;

/** Episodes have five turns, and scenarios five episodes. */
export function normalPairs({ n, sourceLayers, targetLayers, dims }: PairsSize): TurnPairs {
  const random = seededRandom(n, sourceLayers, dims);
  const make = (): Matrix => {
    const m = zeros(n, dims);
    for (let at = 0; at < m.data.length; at++) m.data[at] = random.normal();
    return m;
  };
  const label = (of: (row: number) => number): Int32Array =>
    Int32Array.from({ length: n }, (_, row) => of(row));
  return {
    n,
    source: Array.from({ length: sourceLayers }, make),
    target: Array.from({ length: targetLayers }, make),
    history: zeros(n, 0),
    reply: zeros(n, 0),
    episode: label((row) => Math.floor(row / TURNS)),
    scenario: label((row) => Math.floor(row / (5 * TURNS))),
    pair: label(() => 0),
    turn: label((row) => row % TURNS),
  };
}
