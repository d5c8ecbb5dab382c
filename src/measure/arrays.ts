/** Reads arrays from files into the types that the measures take; each mismatch is reported in one sentence. */
import { EntrainError } from '../protocol/errors.ts';
import { zeros } from '../numeric/matrix.ts';
import type { Matrix } from '../numeric/linear-algebra.ts';
import type { RowLabels, TurnPairs } from '../synchrony/types.ts';
import { readNpy, readNpyLabels, type NpyLabel } from '../recordings/formats/npy.ts';
import { labelFault, nameRows, type RowNames } from './labels.ts';

export interface ArrayPaths {
  a: string;
  b: string;
  episode?: string | undefined;
  scenario?: string | undefined;
  setting?: string | undefined;
  turn?: string | undefined;
  text?: string | undefined;
  words?: string | undefined;
}

/** An array [n, layers, dims] or [n, dims] as one matrix [n, dims] per layer. */
export async function readLayers(path: string): Promise<Matrix[]> {
  const { shape, data } = await readNpy(path);
  const [n = 0, ...rest] = shape;
  if ((rest.length !== 1 && rest.length !== 2) || shape.includes(0)) {
    throw misfit(path, `has shape [${shape.join(', ')}]`, '[n, layers, dims] or [n, dims], none of them 0');
  }
  const [layers, dims] = rest.length === 2 ? (rest as [number, number]) : [1, rest[0] as number];
  if (layers === 1) return [{ rows: n, cols: dims, data }];
  return Array.from({ length: layers }, (_, layer) => {
    const out = zeros(n, dims);
    for (let r = 0; r < n; r++) {
      const start = (r * layers + layer) * dims;
      out.data.set(data.subarray(start, start + dims), r * dims);
    }
    return out;
  });
}

/** The layers of both sides, whose rows must correspond one to one. */
export async function readSides({
  a,
  b,
}: Pick<ArrayPaths, 'a' | 'b'>): Promise<{ n: number; source: Matrix[]; target: Matrix[] }> {
  const source = await readLayers(a);
  const target = await readLayers(b);
  const [n = 0, m = 0] = [source[0]?.rows, target[0]?.rows];
  if (n !== m) throw misfit(b, `has ${m} rows`, `${n}, as many as ${a}`);
  return { n, source, target };
}

/** Turn pairs of one group, and the labels of its episodes in the file. */
export interface ReadPairs {
  pairs: TurnPairs;
  episodeIds: ReadonlyMap<string, number>;
}

export async function readTurnPairs(paths: ArrayPaths): Promise<ReadPairs> {
  const { n, source, target } = await readSides(paths);
  const { rows, episodeIds } = await readRows(paths, n);
  const history = await readFeatures(paths.text, n);
  return {
    pairs: { ...rows, source, target, history, reply: await readFeatures(paths.words, n) },
    episodeIds,
  };
}

/** The labels of the rows. Without files every row is an episode and a scenario of its own. */
export async function readRows(
  paths: Omit<ArrayPaths, 'a' | 'b'>,
  n: number,
): Promise<{ rows: RowLabels & { n: number }; episodeIds: ReadonlyMap<string, number> }> {
  const each = nameRows(Array.from({ length: n }, (_, row) => row));
  const episode = (await readLabels(paths.episode, n)) ?? each;
  const setting = await readLabels(paths.setting, n);
  const rows = {
    n,
    episode: episode.ids,
    scenario: ((await readLabels(paths.scenario, n)) ?? episode).ids,
    ...(setting ? { setting: setting.ids } : {}),
    pair: new Int32Array(n),
    turn: (await readTurns(paths.turn, n)) ?? placesIn(episode.ids),
  };
  return { rows, episodeIds: episode.idOf };
}

/** Index of each row within its episode, in the order of rows. */
function placesIn(episode: Int32Array): Int32Array {
  const seen = new Map<number, number>();
  return episode.map((label) => {
    const place = seen.get(label) ?? 0;
    seen.set(label, place + 1);
    return place;
  });
}

async function readLabels(path: string | undefined, n: number): Promise<RowNames | undefined> {
  if (path === undefined) return undefined;
  const { shape, labels } = await readNpyLabels(path);
  checkRows(shape, path, n);
  const expected = `[${n}] whole numbers or texts`;
  if (labels.length !== n) throw misfit(path, `has shape [${shape.join(', ')}]`, expected);
  const fault = labelFault(labels);
  if (fault !== undefined) throw misfit(path, fault, expected);
  return nameRows(labels);
}

/** Reads turn numbers. They are calculated with, so their values are kept, unlike those of labels. */
async function readTurns(path: string | undefined, n: number): Promise<Int32Array | undefined> {
  if (path === undefined) return undefined;
  const { shape, labels } = await readNpyLabels(path);
  checkRows(shape, path, n);
  const expected = `[${n}] whole numbers from 0 to ${LAST_TURN}`;
  if (labels.length !== n) throw misfit(path, `has shape [${shape.join(', ')}]`, expected);
  const wrong = labels.find((label) => !isTurn(label));
  if (wrong !== undefined) throw misfit(path, `holds ${wrong}`, expected);
  return Int32Array.from(labels as number[]);
}

const LAST_TURN = 2 ** 31 - 1;
const isTurn = (label: NpyLabel): boolean =>
  typeof label === 'number' && Number.isInteger(label) && label >= 0 && label <= LAST_TURN;

async function readFeatures(path: string | undefined, n: number): Promise<Matrix> {
  if (path === undefined) return zeros(n, 0);
  const { shape, data } = await readNpy(path);
  checkRows(shape, path, n);
  return { rows: n, cols: data.length / Math.max(1, n), data };
}

function checkRows([rows = 0]: readonly number[], path: string, n: number): void {
  if (rows !== n) throw misfit(path, `has ${rows} rows`, String(n));
}

function misfit(path: string, found: string, expected: string): EntrainError {
  return new EntrainError('MEASURE_INPUT', `${path} ${found}; expected ${expected}`);
}
