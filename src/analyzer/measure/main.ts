/** `entrain measure`: any measure on arrays from any source, or on a recorded run. Prints one answer and ends. */
import { createOrtAlgebra, type OrtAlgebra } from '../../compute/ort-algebra.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { MEASURES } from '../../synchrony/measures/index.ts';
import { surrogateNull, type SurrogateInput, type SurrogateOptions } from '../../synchrony/surrogates.ts';
import type { Measure, MeasureAnswer, MeasureOptions } from '../../synchrony/measures/measure.ts';
import type { LinearAlgebra, Matrix } from '../../synchrony/types.ts';
import { measureAnswer, surrogateAnswer, type Json } from './answers.ts';
import { parseMeasureArguments, wholeNumber, type MeasureFlags } from './arguments.ts';
import { readLayers, readTurnPairs } from './arrays.ts';
import { listMeasures } from './list.ts';
import { measureRun } from './run-folder.ts';
import { measureSyncR2, OFFLINE } from './sync-r2.ts';
import { printAnswer } from './print.ts';

export { usage } from './arguments.ts';

/** Arguments after `entrain measure` → exit status. */
export async function run(argv: string[]): Promise<number> {
  const { flags, names } = parseMeasureArguments(argv);
  if (flags.list === true) return print(listMeasures(flags.json === true));
  const name = onlyName(names);
  const algebra = await createOrtAlgebra();
  try {
    const answer = { measure: name, ...(await answerOf(name, flags, algebra)) };
    return print(flags.json === true ? `${JSON.stringify(answer)}\n` : printAnswer(answer));
  } finally {
    await algebra.close();
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function onlyName(names: string[]): string {
  const [name, ...others] = names;
  if (name === undefined)
    throw new EntrainError('USAGE', 'no measure was named; entrain measure --list names them');
  if (others.length > 0)
    throw new EntrainError('USAGE', `${others.join(' ')} is too much; expected one measure`);
  if (name === 'sync-r2' || MEASURES.some((measure) => measure.name === name)) return name;
  throw new EntrainError('MEASURE_UNKNOWN', `there is no measure ${name}; entrain measure --list names them`);
}

async function answerOf(name: string, flags: MeasureFlags, algebra: OrtAlgebra): Promise<Json> {
  if (flags.run !== undefined) return measureRun(flags.run, { name, flags, algebra });
  if (flags.a === undefined || flags.b === undefined) {
    throw new EntrainError('USAGE', 'the arrays are missing; expected --a A.npy --b B.npy, or --run FOLDER');
  }
  const { a, b } = flags;
  if (name === 'sync-r2') {
    const pairs = await readTurnPairs({ ...flags, a, b });
    return (await measureSyncR2(pairs, { flags, fallbacks: OFFLINE, algebra })).answer;
  }
  const measure = MEASURES.find((one) => one.name === name) as Measure;
  const sources = chooseLayers(await readLayers(a), { path: a, flags });
  const targets = chooseLayers(await readLayers(b), { path: b, flags });
  if (sources.length !== targets.length) {
    throw new EntrainError(
      'MEASURE_INPUT',
      `${a} has ${sources.length} layers and ${b} ${targets.length}; expected as many, or --layer`,
    );
  }
  return measureLayers(measure, { sources, targets }, { ...optionsOf(flags, algebra), ...nullOf(flags) });
}

function chooseLayers(layers: Matrix[], from: { path: string; flags: MeasureFlags }): Matrix[] {
  if (from.flags.layer === undefined) return layers;
  const index = wholeNumber('layer', from.flags.layer, { least: 0, fallback: 0 });
  const layer = layers[index];
  if (layer !== undefined) return [layer];
  throw new EntrainError(
    'MEASURE_INPUT',
    `${from.path} has no layer ${index}; expected 0 to ${layers.length - 1}`,
  );
}

/** Each layer with its like; with several, `value` is their mean. */
async function measureLayers(
  measure: Measure,
  streams: { sources: Matrix[]; targets: Matrix[] },
  options: MeasureOptions & Partial<SurrogateFlags>,
): Promise<Json> {
  const answers: Json[] = [];
  for (const [layer, a] of streams.sources.entries()) {
    const b = streams.targets[layer] as Matrix;
    const answer = await measure.compute(a, b, options);
    answers.push({ ...measureAnswer(answer), ...(await besideNull({ a, b, measure, options }, answer)) });
  }
  if (answers.length === 1) return answers[0] as Json;
  const values = answers.map((answer) => answer['value']).filter((value) => typeof value === 'number');
  const value = values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length;
  return { value, per_layer: answers.map((answer, layer) => ({ layer, ...answer })) };
}

interface SurrogateFlags extends Omit<SurrogateOptions, 'kind'> {
  /** Left out: what suits the measure. */
  kind?: SurrogateOptions['kind'];
}

/** What the flags say of a null; nothing where none is asked for. */
function nullOf({ permutations, surrogate, seed }: MeasureFlags): Partial<SurrogateFlags> {
  if (surrogate !== undefined && surrogate !== 'shift' && surrogate !== 'phase')
    throw new EntrainError('USAGE', `--surrogate is ${surrogate}; expected shift or phase`);
  if (permutations === undefined) return {};
  return {
    count: wholeNumber('permutations', permutations, { least: 1, fallback: 99 }),
    seed: wholeNumber('seed', seed, { least: 0, fallback: 1 }),
    ...(surrogate === undefined ? {} : { kind: surrogate }),
  };
}

async function besideNull(
  input: Omit<SurrogateInput, 'options'> & { options: MeasureOptions & Partial<SurrogateFlags> },
  answer: MeasureAnswer,
): Promise<Json> {
  const { count, seed, kind = 'matrix' in answer ? 'phase' : 'shift' } = input.options;
  if (count === undefined || seed === undefined || 'reason' in answer) return {};
  return { surrogate: kind, ...surrogateAnswer(await surrogateNull(input, { kind, count, seed })) };
}

function optionsOf(flags: MeasureFlags, algebra: LinearAlgebra): MeasureOptions {
  const options: MeasureOptions = { algebra };
  const number = (flag: 'components' | 'max-lag' | 'order'): number | undefined =>
    flags[flag] === undefined ? undefined : wholeNumber(flag, flags[flag], { least: 1, fallback: 1 });
  const components = number('components');
  const maxLag = number('max-lag');
  const order = number('order');
  if (components !== undefined) options.components = components;
  if (maxLag !== undefined) options.maxLag = maxLag;
  if (order !== undefined) options.order = order;
  if (flags.band !== undefined) options.band = parseBand(flags.band);
  return options;
}

function parseBand(text: string): [low: number, high: number] {
  const [low, high, ...rest] = text.split(',').map(Number);
  if (low !== undefined && high !== undefined && rest.length === 0 && low >= 0 && low < high && high <= 0.5) {
    return [low, high];
  }
  throw new EntrainError('USAGE', `--band is ${text}; expected LOW,HIGH in cycles per step, from 0 to 0.5`);
}
