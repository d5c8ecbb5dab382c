/** What the NVIDIA driver says of this machine's GPUs, by its program `nvidia-smi`; nothing where there is none. */
import { execFile } from 'node:child_process';
import type { Clock } from '../../process/clock.ts';

export interface GpuFigures {
  index: string;
  name: string;
  usedBytes: number;
  sizeBytes: number;
  /** Share of the last moments in which something ran on it; undefined if the driver does not tell. */
  busyShare: number | undefined;
}

const PROGRAM = 'nvidia-smi';
const QUERY = [
  '--query-gpu=index,name,memory.used,memory.total,utilization.gpu',
  '--format=csv,noheader,nounits',
];
const MIB = 2 ** 20;
/** The driver is asked no more often: the program takes a part of a second. */
const FRESH_MS = 4000;
const TIMEOUT_MS = 3000;

/** @returns a function that gives the latest figures; it starts no program again where there was none */
export function createGpuReader(clock: Pick<Clock, 'monotonicMs'>): () => Promise<GpuFigures[]> {
  let [isThere, askedMs] = [true, -Infinity];
  let latest: Promise<GpuFigures[]> = Promise.resolve([]);
  return () => {
    if (!isThere || clock.monotonicMs() - askedMs < FRESH_MS) return latest;
    askedMs = clock.monotonicMs();
    latest = ask().catch((error: NodeJS.ErrnoException) => {
      isThere = error.code !== 'ENOENT';
      return [];
    });
    return latest;
  };
}

const ask = (): Promise<GpuFigures[]> =>
  new Promise((resolve, reject) => {
    execFile(PROGRAM, QUERY, { timeout: TIMEOUT_MS }, (error, text) =>
      error ? reject(error) : resolve(text.split('\n').flatMap(gpuOf)),
    );
  });

/** `[N/A]` stands where a GPU does not tell a figure. */
function gpuOf(line: string): GpuFigures[] {
  const [index = '', name = '', used, size, busy] = line.split(',').map((cell) => cell.trim());
  const [usedMib, sizeMib, percent] = [used, size, busy].map(Number);
  if (!Number.isFinite(usedMib) || !Number.isFinite(sizeMib) || index === '') return [];
  const busyShare = Number.isFinite(percent) ? (percent as number) / 100 : undefined;
  return [
    { index, name, usedBytes: (usedMib as number) * MIB, sizeBytes: (sizeMib as number) * MIB, busyShare },
  ];
}
