/** The layer × layer map at the paper's full size on a GPU (`paper-size.py`), if PyTorch finds one. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const title = 'The paper’s size on a GPU';

interface Published {
  pairs_timed: number;
  pair_s: number;
  all_pairs: number;
  all_pairs_s_multiplied: number;
  ratio: number;
  largest_r2_difference: number;
}

interface Measured {
  device: string;
  torch: string;
  size: { n: number; layers: number; dims: number; splits: number };
  checks: { against: string; largest: number; allowed: number }[];
  map_runs: { total_s: number; phases_s: Record<string, number> }[];
  map_tflop: Record<string, number>;
  map_peak_gib: number;
  published: Record<'float64' | 'float32', Published>;
}

const runProgram = promisify(execFile);
const HAS_GPU = 'import sys, torch; sys.exit(not torch.cuda.is_available())';

interface Report {
  table: string[][];
  notes: string[];
  /** Whether to write the docs page; without a GPU the page keeps its content. */
  isForPage: boolean;
}

export async function run(): Promise<Report> {
  if (!(await hasGpu())) return { table: [['not measured']], notes: NO_GPU, isForPage: false };
  const measured = await measure();
  return { table: tableOf(measured), notes: notesOf(measured), isForPage: true };
}

const NO_GPU = ['python3 finds no GPU with PyTorch on this machine, so nothing is measured.'];

const hasGpu = (): Promise<boolean> =>
  runProgram('python3', ['-c', HAS_GPU]).then(
    () => true,
    () => false,
  );

async function measure(): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-paper-size-'));
  const file = join(folder, 'measured.json');
  try {
    await runProgram('python3', [join('bench', 'paper-size.py'), '--out', file], { maxBuffer: 2 ** 26 });
    return JSON.parse(await readFile(file, 'utf8')) as Measured;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function tableOf({ map_runs: runs, map_tflop: work, published }: Measured): string[][] {
  const { total_s: total, phases_s: phases } = runs.at(-1) as Measured['map_runs'][number];
  const parts = Object.entries(phases).map(([name, seconds]) => [
    name,
    `${seconds.toFixed(3)} s`,
    rate(work[name], seconds),
    '',
  ]);
  const all = Object.values(work).reduce((sum, one) => sum + one, 0);
  const others = Object.entries(published).map(([type, of]) => [
    `published arithmetic, ${type}, ${of.pairs_timed} of ${of.all_pairs} pairs of layers timed`,
    `${of.all_pairs_s_multiplied.toFixed(0)} s`,
    '',
    `**${of.ratio.toFixed(0)} ×** the map`,
  ]);
  return [
    ['part', 'time', 'TFLOP/s', ''],
    ...parts,
    ['**the whole map, float64**', `**${total.toFixed(2)} s**`, rate(all, total), ''],
    ...others,
  ];
}

const rate = (tflop: number | undefined, seconds: number): string =>
  tflop ? (tflop / seconds).toFixed(1) : '';

function notesOf({ device, torch, size, checks, map_peak_gib: peak, published }: Measured): string[] {
  const { n, layers, dims, splits } = size;
  const small = checks.filter(({ against }) => against.startsWith('published'));
  const off = Math.max(...small.map(({ largest }) => largest));
  return [
    `Measured on one ${device} with PyTorch ${torch} by \`bench/paper-size.py\`. ${layers} × ${layers} layers × ${dims} dims × ${n} turn pairs in ${splits} splits, one direction, states with coupling planted, ${peak.toFixed(0)} GiB at most.`,
    `The map is that of \`src/synchrony/syncr2/paper-mode.ts\`: against the published arithmetic at small sizes it is off by ${off.toExponential(1)}, in the pairs timed here by ${published.float64.largest_r2_difference.toExponential(1)}. In float32 the published arithmetic gave another R² in these pairs by up to ${published.float32.largest_r2_difference.toPrecision(1)}: at ${dims} dims and a penalty of 0.1 it takes float64.`,
  ];
}
