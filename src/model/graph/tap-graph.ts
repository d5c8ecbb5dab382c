/**
 * Makes the layers of a model's graph readable: checks where its weights are, finds the residual stream, adds outputs.
 */
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import { refuseOtherKinds } from '../runtime/graph-io.ts';
import { checkExternalFile, type GraphPlace } from '../folder/model-folder.ts';
import { type Graph, type OnnxModel, readModel } from './onnx-graph.ts';
import { patchGraph } from './patch-graph.ts';
import { planTaps, type TapPlan } from './plan-taps.ts';

export interface TappedGraph {
  graph: Uint8Array;
  model: OnnxModel;
  /** Tensor name by layer, 0..L. */
  taps: string[];
  chain: string[];
  externalFiles: string[];
  /** Whether every cache output is computed by an attention operator that can write in place. */
  sharedCache: boolean;
}

export async function tapGraph(place: GraphPlace): Promise<TappedGraph> {
  const bytes = await readGraphFile(place.graph);
  const { model, plan, externalFiles, sharedCache } = searchGraph(bytes, place);
  const graph = patchGraph(bytes, model.graph.bytes, plan);
  return { graph, model, taps: plan.taps, chain: plan.chain, externalFiles, sharedCache };
}

export interface SearchedGraph {
  model: OnnxModel;
  plan: TapPlan;
  externalFiles: string[];
  sharedCache: boolean;
}

/**
 * @param bytes the graph's file, or the same with external weights
 * @param patched layers whose states get an input
 */
export function searchGraph(
  bytes: Uint8Array,
  place: GraphPlace,
  patched: readonly number[] = [],
): SearchedGraph {
  const model = readModel(bytes);
  refuseOtherKinds(model.graph.inputs.filter((name) => !model.graph.weights.has(name)));
  const own = join(dirname(place.graph), basename(place.graph));
  const externalFiles = findExternalFiles(model.graph, dirname(place.graph)).filter((file) => file !== own);
  const inputs = { layers: patched, opset: model.opsets.get('ai.onnx') ?? 0 };
  const plan = planTaps(model.graph, place.config.layers, patched.length > 0 ? inputs : undefined);
  return { model, plan, externalFiles, sharedCache: sharesCache(model.graph) };
}

/**
 * Spare room behind the file's bytes, so that a patch that only adds outputs needs no second copy of gigabytes of
 * weights.
 */
const ROOM_BYTES = 2 ** 16;

/** Protobuf, and so the runtime, cannot read a message of 2 GiB or more. */
const MOST_BYTES = 2 ** 31 - 1 - ROOM_BYTES;

function tooLarge(path: string, bytes: number): EntrainError {
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `${path} has ${bytes} bytes, expected less than 2 GiB as protobuf demands; export the model with external data.`,
  );
}

export async function readGraphFile(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > MOST_BYTES) throw tooLarge(path, size);
    const room = new Uint8Array(size + ROOM_BYTES);
    let read = 0;
    while (read < size) {
      const { bytesRead } = await file.read(room, read, Math.min(size - read, 2 ** 30));
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return room.subarray(0, read);
  } finally {
    await file.close();
  }
}

function sharesCache(graph: Graph): boolean {
  const writers = graph.nodes.filter(({ op }) => op === 'GroupQueryAttention');
  const written = new Set(writers.flatMap(({ outputs }) => outputs.slice(1, 3)));
  const presents = graph.outputs.filter((name) => name.startsWith('present'));
  return presents.length > 0 && presents.every((name) => written.has(name));
}

/** @throws EntrainError `MODEL_UNSAFE` if a file is outside the graph's folder */
function findExternalFiles(graph: Graph, folder: string): string[] {
  const files = new Set<string>();
  for (const { file } of graph.weights.values()) {
    if (file === undefined) continue;
    checkExternalFile(file);
    files.add(join(folder, file));
  }
  for (const branch of graph.nodes.flatMap(({ graphs }) => [...graphs.values()])) {
    for (const file of findExternalFiles(branch, folder)) files.add(file);
  }
  return [...files].sort();
}
