/**
 * `entrain measure MEASURE --dyads DIR`: dyads of recordings from any source, such as EEG, beside pseudo-dyads of
 * members of different dyads. A dyad NAME is two files, NAME-a.npy and NAME-b.npy.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EntrainError } from '../protocol/errors.ts';
import { meanOf } from '../synchrony/stats/jackknife.ts';
import { partnerPermutation } from '../synchrony/stats/partner-permutation.ts';
import type { Measure, MeasureAnswer, MeasureOptions } from '../synchrony/measures/measure.ts';
import type { Matrix } from '../numeric/linear-algebra.ts';
import type { NoScore } from '../synchrony/types.ts';
import type { Json } from './answers.ts';
import { readLayers } from './arrays.ts';

export interface DyadsJob {
  measure: Measure;
  options: MeasureOptions;
  draws: number;
  seed: number;
  /** How many rows the second member is taken later. */
  lag: number;
  say(text: string): void;
}

interface Dyad {
  name: string;
  a: Matrix[];
  b: Matrix[];
}

export async function measureDyads(
  folder: string,
  { measure, options, draws, seed, lag, say }: DyadsJob,
): Promise<Json> {
  const dyads = await readDyads(folder);
  const values: number[][] = [];
  for (const [i, first] of dyads.entries()) {
    const row: number[] = [];
    for (const second of dyads) {
      say(
        `${first.name}-a with ${second.name}-b, ${i * dyads.length + row.length + 1} of ${dyads.length ** 2}`,
      );
      row.push(await valueOf(first, second, { measure, options, lag }));
    }
    values.push(row);
  }
  const found = partnerPermutation(values, { draws, seed });
  const perDyad = dyads.map(({ name }, i) => ({
    dyad: name,
    value: values[i]?.[i],
    pseudo: meanOf((values[i] ?? []).filter((_, j) => j !== i)),
  }));
  if ('reason' in found) return { value: null, reason: found.reason, per_dyad: perDyad };
  const { real, pseudo, excess, interval, pValue, permutations, exact } = found;
  return {
    value: real,
    pseudo_mean: pseudo,
    excess,
    ci: [interval.low, interval.high],
    p_value: pValue,
    permutations,
    exact,
    dyads: dyads.length,
    lag,
    per_dyad: perDyad,
  };
}

/** The size of the measure, mean over layers: members of recordings of unequal length meet as long as both go. */
async function valueOf(
  { name, a }: Dyad,
  { name: other, b }: Dyad,
  { measure, options, lag }: Pick<DyadsJob, 'measure' | 'options' | 'lag'>,
): Promise<number> {
  if (a.length !== b.length)
    throw new EntrainError(
      'MEASURE_INPUT',
      `${name}-a.npy has ${a.length} layers and ${other}-b.npy ${b.length}: expected as many.`,
    );
  const sizes: number[] = [];
  for (const [layer, source] of a.entries()) {
    const target = b[layer] as Matrix;
    const rows = Math.max(0, Math.min(source.rows, target.rows - lag));
    const answer = await measure.compute(rowsFrom(0, rows, source), rowsFrom(lag, rows, target), options);
    if ('reason' in answer)
      throw new EntrainError(
        'MEASURE_INPUT',
        `${measure.name} of ${name}-a.npy and ${other}-b.npy has no value: ${answer.reason}.`,
      );
    sizes.push(sizeOf(answer));
  }
  return meanOf(sizes);
}

/** Of a measure between channels: the mean over the channels of the one by those of the other. */
function sizeOf(answer: Exclude<MeasureAnswer, NoScore>): number {
  if ('value' in answer) return Math.abs(answer.value);
  const { matrix, ofA } = answer;
  const between = Array.from({ length: ofA }, (_, channel) =>
    [...matrix.data.subarray(channel * matrix.cols + ofA, (channel + 1) * matrix.cols)].map(Math.abs),
  );
  return meanOf(between.flat());
}

const rowsFrom = (first: number, rows: number, { cols, data }: Matrix): Matrix => ({
  rows,
  cols,
  data: data.subarray(first * cols, (first + rows) * cols),
});

async function readDyads(folder: string): Promise<Dyad[]> {
  const files = await readdir(folder).catch((cause: unknown) => {
    throw new EntrainError('MEASURE_INPUT', `${folder} cannot be read: expected a folder of dyads.`, {
      cause,
    });
  });
  const names = files.flatMap((file) => /^(.+)-a\.npy$/.exec(file)?.[1] ?? []).toSorted();
  const alone = names.find((name) => !files.includes(`${name}-b.npy`));
  if (names.length === 0 || alone !== undefined)
    throw new EntrainError(
      'MEASURE_INPUT',
      `${folder} has ${alone === undefined ? 'no dyad' : `${alone}-a.npy without ${alone}-b.npy`}: expected NAME-a.npy and NAME-b.npy for each dyad.`,
    );
  return Promise.all(
    names.map(async (name) => ({
      name,
      a: await readLayers(join(folder, `${name}-a.npy`)),
      b: await readLayers(join(folder, `${name}-b.npy`)),
    })),
  );
}
