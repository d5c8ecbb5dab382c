/** Finds the graph of a model folder that is run: the one asked for, or the first of the usual ones. */
import { access, readdir } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';

export interface GraphChoice {
  /** Variant by its name in transformers.js: fp32, fp16, q8, q4, … */
  dtype?: string | undefined;
  /** Path within the folder, or within its `onnx/`. */
  file?: string | undefined;
}

const USUAL = [
  'model.onnx',
  'decoder_model_merged.onnx',
  'model_fp16.onnx',
  'model_quantized.onnx',
  'model_q4.onnx',
];
const BASES = ['model', 'decoder_model_merged', 'decoder_with_past_model'];

const SUFFIXES: Readonly<Record<string, string>> = {
  fp32: '',
  fp16: '_fp16',
  q8: '_quantized',
  int8: '_int8',
  uint8: '_uint8',
  q4: '_q4',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
  q2: '_q2',
  q2f16: '_q2f16',
};

/** @throws EntrainError `USAGE` for an unknown variant, `MODEL_MISSING` for a file that does not exist */
export async function findGraph(folder: string, { dtype, file }: GraphChoice = {}): Promise<string> {
  if (file !== undefined) return findFile(folder, file);
  const there = await graphsOf(folder);
  const wanted = dtype === undefined ? USUAL : namesOf(dtype);
  for (const { place, files } of there) {
    const named = wanted.find((name) => files.includes(name)) ?? (dtype === undefined ? files[0] : undefined);
    if (named !== undefined) return join(place, named);
  }
  const names = there.flatMap(({ files }) => files);
  throw new EntrainError(
    'MODEL_MISSING',
    names.length === 0
      ? `There is no .onnx file in ${folder} or ${join(folder, 'onnx')}; export the model to ONNX first.`
      : `There is no graph of --dtype ${dtype} in ${folder}, expected ${wanted.join(' or ')} (there is ${names.join(', ')}); fetch it or choose one with --file.`,
  );
}

/** Graphs by folder, `onnx/` first. */
async function graphsOf(folder: string): Promise<{ place: string; files: string[] }[]> {
  const places = [join(folder, 'onnx'), folder];
  return Promise.all(
    places.map(async (place) => {
      const files = (await readdir(place).catch(() => [])).filter((name) => name.endsWith('.onnx'));
      return { place, files: files.sort() };
    }),
  );
}

function namesOf(dtype: string): string[] {
  const suffix = Object.hasOwn(SUFFIXES, dtype) ? SUFFIXES[dtype] : undefined;
  if (suffix !== undefined) return BASES.map((base) => `${base}${suffix}.onnx`);
  const known = Object.keys(SUFFIXES).join(', ');
  throw new EntrainError(
    'USAGE',
    `--dtype is "${dtype}": expected one of ${known}; --file names any other file.`,
  );
}

async function findFile(folder: string, file: string): Promise<string> {
  const isInside = !isAbsolute(file) && !normalize(file).startsWith('..');
  for (const place of isInside ? [folder, join(folder, 'onnx')] : []) {
    const path = join(place, file);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new EntrainError(
    'MODEL_MISSING',
    `There is no ${file} in ${folder} or ${join(folder, 'onnx')}; give --file a path within the model's folder.`,
  );
}

/** The other graphs, for a message about one that cannot be used. */
export async function otherGraphs(folder: string, graph: string): Promise<string[]> {
  const paths = (await graphsOf(folder)).flatMap(({ place, files }) =>
    files.map((file) => join(place, file)),
  );
  return paths.filter((path) => path !== graph).map((path) => path.slice(folder.length + 1));
}
