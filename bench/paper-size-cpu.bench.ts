/** Paper mode on a part of the paper's own size, read layer by layer from files: time and memory. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrtAlgebra } from '../src/numeric/ort/ort-algebra.ts';
import { npyBytes, withNpyLayers, type NpyLayers } from '../src/recordings/formats/npy.ts';
import { streamedPaperScore, type LayerSource } from '../src/synchrony/syncr2/streamed-map.ts';
import { normalPairs } from './normal-pairs.ts';

export const title = 'The paper’s size on the CPU, layer by layer';

const N = 6500;
const DIMS = 4096;
const WHOLE = 32;
const LAYERS = 2;
const BUDGET_BYTES = 2 ** 30;

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-bench-'));
  try {
    const paths = ['a.npy', 'b.npy'].map((name) => join(folder, name)) as [string, string];
    for (const [side, path] of paths.entries()) await writeStates(path, side);
    const { seconds, reads } = await timed(paths);
    const peak = process.resourceUsage().maxRSS / 2 ** 20;
    return {
      table: [
        ['quantity', 'measured'],
        ['layers', `${LAYERS} × ${LAYERS} of ${WHOLE} × ${WHOLE}, ${N} turn pairs, ${DIMS} dims, 3 splits`],
        ['time', `${seconds.toFixed(0)} s`],
        ['layers read', String(reads)],
        ['largest resident memory', `${peak.toFixed(1)} GiB`],
      ],
      notes: NOTES,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const NOTES = [
  `States in two files of float32. The budget is ${BUDGET_BYTES / 2 ** 30} GiB for weights and targets; beside it stand one inverse of 6,500 × 6,500 with its work space and one layer. A sixteenth of the layers and a 256th of the pairs of layers: the whole takes at least sixteen times as long, and no more memory for the same budget, which only decides how often a layer is read again.`,
];

async function timed([a, b]: [string, string]): Promise<{ seconds: number; reads: number }> {
  const algebra = await createOrtAlgebra();
  let reads = 0;
  const layersOf = ({ layers, dims, read }: NpyLayers): LayerSource => ({
    layers,
    dims,
    read: async (layer) => {
      reads += 1;
      return { rows: N, cols: dims, data: await read(layer) };
    },
  });
  const rows = normalPairs({ n: N, sourceLayers: 0, targetLayers: 0, dims: 1 });
  const started = performance.now();
  await withNpyLayers(a, (source) =>
    withNpyLayers(b, async (target) => {
      if (!source || !target) throw new Error('the files of this benchmark cannot be read layer by layer');
      const input = { rows, source: layersOf(source), target: layersOf(target) };
      return streamedPaperScore(input, { algebra, seed: 1, budgetBytes: BUDGET_BYTES });
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  await algebra.close();
  return { seconds, reads };
}

/** Noise of all rows, layer beside layer, in pieces. */
async function writeStates(path: string, side: number): Promise<void> {
  const file = await open(path, 'w');
  const shape = [N, LAYERS, DIMS];
  // the header says the whole shape, the values follow row by row
  await file.write(npyBytes(new Float32Array(0), shape));
  const row = new Float32Array(LAYERS * DIMS);
  for (let r = 0; r < N; r++) {
    for (let c = 0; c < row.length; c++) row[c] = Math.sin(12.9898 * (r * row.length + c) + side) * 2;
    await file.write(row);
  }
  await file.close();
}
