/** Arrays from files → what the measures take, with every misfit said in one sentence. */
import { EntrainError } from '../protocol/errors.ts';
import { zeros } from '../numeric/matrix.ts';
import type { Matrix } from '../numeric/linear-algebra.ts';
import type { TurnPairs } from '../synchrony/types.ts';
import { readNpy, type NpyArray } from '../recordings/formats/npy-read.ts';

export interface ArrayPaths {
  a: string;
  b: string;
  episode?: string | undefined;
  scenario?: string | undefined;
  turn?: string | undefined;
  text?: string | undefined;
  words?: string | undefined;
}

/** [n, layers, dims] or [n, dims] → per layer [n, dims]. */
export async function readLayers(path: string): Promise<Matrix[]> {
  const { shape, data } = await readNpy(path);
  const [n, ...rest] = shape as [number, ...number[]];
  if (rest.length !== 1 && rest.length !== 2) {
    throw misfit(path, `has shape [${shape.join(', ')}]`, '[n, layers, dims] or [n, dims]');
  }
  const [layers, dims] = rest.length === 2 ? (rest as [number, number]) : [1, rest[0] as number];
  return Array.from({ length: layers }, (_, layer) => {
    const out = zeros(n, dims);
    for (let r = 0; r < n; r++) {
      const start = (r * layers + layer) * dims;
      out.data.set(data.subarray(start, start + dims), r * dims);
    }
    return out;
  });
}

/** Turn pairs of one group. Without labels every row is an episode and a scenario of its own. */
export async function readTurnPairs(paths: ArrayPaths): Promise<TurnPairs> {
  const source = await readLayers(paths.a);
  const target = await readLayers(paths.b);
  const n = source[0]?.rows ?? 0;
  if (target[0]?.rows !== n)
    throw misfit(paths.b, `has ${target[0]?.rows ?? 0} rows`, `${n}, as many as ${paths.a}`);
  const rows = Int32Array.from({ length: n }, (_, row) => row);
  const episode = (await readLabels(paths.episode, n)) ?? rows;
  return {
    n,
    source,
    target,
    history: await readFeatures(paths.text, n),
    reply: await readFeatures(paths.words, n),
    episode,
    scenario: (await readLabels(paths.scenario, n)) ?? episode,
    pair: new Int32Array(n),
    turn: (await readLabels(paths.turn, n)) ?? placesIn(episode),
  };
}

/** The place of each row in its episode, in order of rows. */
function placesIn(episode: Int32Array): Int32Array {
  const seen = new Map<number, number>();
  return episode.map((label) => {
    const place = seen.get(label) ?? 0;
    seen.set(label, place + 1);
    return place;
  });
}

async function readLabels(path: string | undefined, n: number): Promise<Int32Array | undefined> {
  if (path === undefined) return undefined;
  const array = await readNpy(path);
  checkRows(array, path, n);
  if (array.data.length !== n || !array.data.every(Number.isInteger)) {
    throw misfit(path, `has shape [${array.shape.join(', ')}]`, `[${n}] whole numbers`);
  }
  return Int32Array.from(array.data);
}

async function readFeatures(path: string | undefined, n: number): Promise<Matrix> {
  if (path === undefined) return zeros(n, 0);
  const array = await readNpy(path);
  checkRows(array, path, n);
  return { rows: n, cols: array.data.length / Math.max(1, n), data: array.data };
}

function checkRows(array: NpyArray, path: string, n: number): void {
  if (array.shape[0] !== n) throw misfit(path, `has ${array.shape[0] ?? 0} rows`, String(n));
}

function misfit(path: string, found: string, expected: string): EntrainError {
  return new EntrainError('MEASURE_INPUT', `${path} ${found}; expected ${expected}`);
}
