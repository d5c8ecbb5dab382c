/**
 * `entrain measure`: any measure on arrays from any source, or on a recorded run. Prints one answer and ends.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createOrtAlgebra, type OrtAlgebra } from '../numeric/ort/ort-algebra.ts';
import { EntrainError } from '../protocol/errors.ts';
import { MEASURES } from '../synchrony/measures/index.ts';
import type { Measure, MeasureOptions } from '../synchrony/measures/measure.ts';
import type { LinearAlgebra, Matrix } from '../numeric/linear-algebra.ts';
import { parseBand } from '../analyzer/steps/pass-band.ts';
import { stderrProgress, type Progress } from '../process/progress.ts';
import type { Json } from './answers.ts';
import { parseMeasureArguments, wholeNumber, type MeasureFlags } from './arguments.ts';
import { readSides, readTurnPairs } from './arrays.ts';
import { measureBesideNull, type AskedNull } from './surrogate-null.ts';
import { measureDyads, type DyadsJob } from './dyads.ts';
import { measureInfluence } from './influence.ts';
import { atLag } from './lag.ts';
import { listMeasures } from './list.ts';
import { chooseLayers, chooseSides } from './one-layer.ts';
import { measureRun } from './run-folder.ts';
import { measureRunSteps } from './run-steps.ts';
import { measureStreamed } from './streamed.ts';
import { OFFLINE } from './job.ts';
import { measureSyncR2 } from './sync-r2.ts';
import { printAnswer } from './print.ts';

export { usage } from './arguments.ts';

/**
 * @param argv arguments after `entrain measure`
 * @returns exit status
 */
export async function run(argv: string[]): Promise<number> {
  const { flags, names } = parseMeasureArguments(argv);
  if (flags.list === true) return print(listMeasures(flags.json === true));
  const name = onlyName(names);
  // One thread for a run, as in the analyzer, since the order of additions changes the last digits.
  const algebra = await createOrtAlgebra(flags.run === undefined ? {} : { threads: 1 });
  const progress = stderrProgress(flags.progress);
  try {
    const found = answerOf(name, flags, { algebra, say: progress.say });
    const answer = { measure: name, ...(await found.finally(() => progress.end())) };
    return print(flags.json === true ? `${JSON.stringify(answer)}\n` : printAnswer(answer));
  } finally {
    await algebra.close();
  }
}

interface Tools extends Pick<Progress, 'say'> {
  algebra: OrtAlgebra;
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
  if (name === 'sync-r2' || name === 'influence' || MEASURES.some((measure) => measure.name === name))
    return name;
  throw new EntrainError('MEASURE_UNKNOWN', `there is no measure ${name}; entrain measure --list names them`);
}

async function answerOf(name: string, flags: MeasureFlags, tools: Tools): Promise<Json> {
  const { algebra, say } = tools;
  if (name === 'influence') return measureInfluence(await runOf(flags), tools);
  if (flags.run !== undefined) {
    const folder = await runOf(flags);
    const options = { ...optionsOf(flags, algebra), asked: nullOf(flags) };
    if (name === 'sync-r2') return measureRun(folder, { flags, ...tools });
    return measureRunSteps(folder, { measure: measureOf(name), options, say });
  }
  if (flags.dyads !== undefined) return measureDyads(flags.dyads, dyadsJob(name, flags, tools));
  if (flags.a === undefined || flags.b === undefined) {
    throw new EntrainError('USAGE', 'the arrays are missing; expected --a A.npy --b B.npy, or --run FOLDER');
  }
  const { a, b } = flags;
  if (name === 'sync-r2') {
    if (flags.lag !== undefined && flags.turn === undefined)
      throw new EntrainError('USAGE', '--lag needs the turn of each row; give --turn FILE');
    const streamed = await measureStreamed({ a, b, flags, ...tools });
    if (streamed) return streamed;
    const { pairs: read, episodeIds } = await readTurnPairs({ ...flags, a, b });
    const { pairs: chosen, ...named } = chooseSides(read, { source: a, target: b }, { flags });
    const { pairs, later } = atLag(chosen, flags);
    const fallbacks = { ...OFFLINE, shortest: Math.max(0, OFFLINE.shortest - later) };
    const job = { flags, fallbacks, episodeIds, ...named, ...tools };
    return (await measureSyncR2(pairs, job)).answer;
  }
  const measure = measureOf(name);
  const sides = await readSides({ a, b });
  const sources = chooseLayers(sides.source, { path: a, flags });
  const targets = chooseLayers(sides.target, { path: b, flags });
  if (sources.length !== targets.length) {
    throw new EntrainError(
      'MEASURE_INPUT',
      `${a} has ${sources.length} layers and ${b} ${targets.length}; expected as many, or --layer`,
    );
  }
  const job = { measure, options: optionsOf(flags, algebra), asked: nullOf(flags), say };
  return measureLayers({ sources, targets }, job);
}

function dyadsJob(name: string, flags: MeasureFlags, { algebra, say }: Tools): DyadsJob {
  if (name === 'sync-r2' || flags.a !== undefined || flags.b !== undefined)
    throw new EntrainError(
      'USAGE',
      '--dyads is for measures over steps, in the place of --a and --b; "entrain measure --list" names them',
    );
  return {
    measure: measureOf(name),
    options: optionsOf(flags, algebra),
    draws: wholeNumber('permutations', flags.permutations, { least: 99, fallback: 4999 }),
    seed: wholeNumber('seed', flags.seed, { least: 0, fallback: 1 }),
    lag: wholeNumber('lag', flags.lag, { least: 0, fallback: 0 }),
    say,
  };
}

const measureOf = (name: string): Measure => MEASURES.find((one) => one.name === name) as Measure;

/** The folder at this path, or the run of this name. */
async function runOf({ run, runs = 'runs' }: MeasureFlags): Promise<string> {
  if (run === undefined)
    throw new EntrainError('USAGE', 'influence is measured of a recorded run; expected --run NAME');
  for (const folder of [run, join(runs, run)])
    if ((await stat(folder).catch(() => undefined))?.isDirectory()) return folder;
  return run;
}

interface MeasureJob extends Pick<Progress, 'say'> {
  measure: Measure;
  options: MeasureOptions;
  asked: AskedNull | undefined;
}

/** Measures each layer of A with the same layer of B; for several layers, `value` is their mean. */
async function measureLayers(
  streams: { sources: Matrix[]; targets: Matrix[] },
  { asked, say, ...job }: MeasureJob,
): Promise<Json> {
  const answers: Json[] = [];
  const layers = streams.sources.length;
  for (const [layer, a] of streams.sources.entries()) {
    const onDraw = (draw: number, count: number): void =>
      say(`layer ${layer + 1} of ${layers}, surrogate ${draw} of ${count}`);
    say(`layer ${layer + 1} of ${layers}`);
    const input = { ...job, a, b: streams.targets[layer] as Matrix };
    answers.push(await measureBesideNull(input, asked && { ...asked, onDraw }));
  }
  return answers.length === 1 ? (answers[0] as Json) : meanOverLayers(answers);
}

/**
 * The mean of the layers' values. There is none for matrices, nor if a layer has no value; that layer is then
 * named.
 */
function meanOverLayers(answers: Json[]): Json {
  const perLayer = answers.map((answer, layer) => ({ layer, ...answer }));
  if (answers.some((answer) => 'matrix' in answer)) return { per_layer: perLayer };
  const without = answers.flatMap(({ value, reason }, layer) =>
    typeof value === 'number' ? [] : [`layer ${layer}: ${String(reason)}`],
  );
  if (without.length > 0) return { value: null, reason: without.join('; '), per_layer: perLayer };
  const sum = answers.reduce((total, { value }) => total + (value as number), 0);
  return { value: sum / answers.length, per_layer: perLayer };
}

/** The null that the flags ask for; undefined if none. */
function nullOf({ permutations, surrogate, seed }: MeasureFlags): AskedNull | undefined {
  if (surrogate !== undefined && surrogate !== 'shift' && surrogate !== 'phase')
    throw new EntrainError('USAGE', `--surrogate is ${surrogate}; expected shift or phase`);
  if (permutations === undefined) return undefined;
  return {
    count: wholeNumber('permutations', permutations, { least: 1, fallback: 99 }),
    seed: wholeNumber('seed', seed, { least: 0, fallback: 1 }),
    ...(surrogate === undefined ? {} : { kind: surrogate }),
  };
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
  if (flags.band !== undefined) options.band = bandOf(flags.band);
  return options;
}

function bandOf(text: string): [low: number, high: number] {
  const band = parseBand(text, ',');
  if (band) return band;
  throw new EntrainError('USAGE', `--band is ${text}; expected LOW,HIGH in cycles per step, from 0 to 0.5`);
}
