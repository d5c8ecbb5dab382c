/**
 * Prepares the graph that is run: layers as outputs, outputs packed, weights left in their file unless it is small. The
 * result is cached by the file's size and time of change, so a later start neither reads nor searches the model's file.
 */
import { lstat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { openNote } from '../folder/file-cache.ts';
import { externaliseWeights } from './externalise-weights.ts';
import { fileInHub, hubPlaceOf, placeInHub } from '../folder/hub-cache.ts';
import { checkExternalFile, type GraphPlace } from '../folder/model-folder.ts';
import { readModel } from './onnx-graph.ts';
import { relocateWeights } from './relocate-weights.ts';
import { requireLogits } from '../runtime/graph-io.ts';
import { packOutputs } from './pack-outputs.ts';
import { packWanted } from './pack-wanted.ts';
import { patchGraph } from './patch-graph.ts';
import { concat, readFields, text, writeBytes } from '../../onnx/protobuf.ts';
import { stateInputFields } from './state-inputs.ts';
import { readGraphFile, searchGraph } from './tap-graph.ts';
import type { Provider } from '../types.ts';

export interface PreparedGraph {
  bytes: Uint8Array;
  /** Tensor name by layer, 0..L. */
  taps: string[];
  externalFiles: string[];
  /** Where the runtime looks for weights. */
  weightsFolder: string;
  /** Whether every cache output is computed by an attention operator that can write in place. */
  sharedCache: boolean;
  /** Outputs that stay in the device's memory: all but the pass, on a provider whose memory the binding knows. */
  deviceOutputs: string[];
}

/** Format of cached graphs; entries with another number are ignored. */
const FORMAT = 6;

/** In a smaller file weights stay inside, since mapping them one by one takes longer than copying them all. */
const LIGHT_FROM_BYTES = 1 << 20;

/**
 * @param cacheFolder where prepared graphs are cached; undefined: no cache
 * @param patched layers for which the graph gets an input that is added to their states
 */
export async function prepareGraph(
  place: GraphPlace,
  cacheFolder?: string,
  { provider = 'cpu', patched = [] }: { provider?: Provider; patched?: readonly number[] } = {},
): Promise<PreparedGraph> {
  // The target of a link may be outside the folder, where the runtime reads no weights; such a file is read whole.
  const isStray = hubPlaceOf(place.graph) === undefined && (await isLink(place.graph));
  if (cacheFolder === undefined || isStray) return prepare(place, { provider, patched, mayBeLight: false });
  const inputs = patched.length > 0 ? `\npatch ${patched.join()}` : '';
  const variant = `\n${FORMAT}\n${place.config.layers}\n${provider === 'webgpu' ? 'device' : ''}${inputs}`;
  const note = await openNote(place.graph, cacheFolder, { kind: 'graphs', variant });
  const known = fromNote((await note.read()) ?? new Uint8Array());
  if (known) return known;
  const prepared = await prepare(place, { provider, patched, mayBeLight: true });
  await note.write(toNote(prepared));
  return prepared;
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
}

async function prepare(
  place: GraphPlace,
  { provider, patched, mayBeLight }: { provider: Provider; patched: readonly number[]; mayBeLight: boolean },
): Promise<PreparedGraph> {
  const file = await readGraphFile(place.graph);
  const source = await followLinks(file, place.graph);
  const isLight = mayBeLight && source.bytes.length >= LIGHT_FROM_BYTES;
  const bytes = isLight ? externaliseWeights(source.bytes, source.file) : source.bytes;
  const { model, plan, externalFiles, sharedCache } = searchGraph(bytes, place, patched);
  requireLogits(model.graph.outputs);
  const keepsCache = provider === 'webgpu' && !sharedCache;
  const pass = keepsCache ? packWanted(plan) : packOutputs(model, plan);
  const inputs = stateInputFields({ layers: patched });
  const patch = { ...pass, after: concat([inputs, pass.after ?? new Uint8Array(0)]) };
  const graph = patchGraph(bytes, model.graph.bytes, patch);
  return {
    bytes: graph,
    taps: plan.taps,
    externalFiles: source.externalFiles ?? externalFiles,
    weightsFolder: source.folder,
    sharedCache,
    deviceOutputs: keepsCache ? [...model.graph.outputs, ...plan.outputs] : [],
  };
}

interface Source {
  bytes: Uint8Array;
  /** Folder of the files with weights, and the graph's file name there. */
  folder: string;
  file: string;
  /** Absolute; undefined: as the graph says. */
  externalFiles?: string[];
}

/** In the hub's cache the graph and its weights are links; the runtime gets the files that they point to. */
async function followLinks(bytes: Uint8Array, graph: string): Promise<Source> {
  const hub = hubPlaceOf(graph);
  if (!hub) return { bytes, folder: dirname(graph), file: basename(graph) };
  const places = new Map<string, string>();
  for (const { file } of readModel(bytes).graph.weights.values()) {
    if (file === undefined || places.has(file)) continue;
    checkExternalFile(file);
    places.set(file, await placeInHub(join(dirname(graph), file), hub));
  }
  const externalFiles = [...places.values()].map((place) => fileInHub(hub, place)).sort();
  const file = await placeInHub(graph, hub);
  return { bytes: relocateWeights(bytes, places), folder: hub.root, file, externalFiles };
}

const METADATA = 14;
const KEY = 'entrain';

/**
 * Stores what is known of the graph in the graph, as metadata that the runtime ignores, so that the cache entry is one
 * file.
 */
function toNote({ bytes, ...known }: PreparedGraph): Uint8Array {
  const entry = concat([writeBytes(1, KEY), writeBytes(2, JSON.stringify(known))]);
  return concat([bytes, writeBytes(METADATA, entry)]);
}

/** Undefined if there is nothing, or a loss of power has left a part of it. */
function fromNote(bytes: Uint8Array): PreparedGraph | undefined {
  try {
    let known = '';
    for (const field of readFields(bytes)) {
      if (field.number !== METADATA) continue;
      const [key, value] = [...readFields(field.bytes)].map((part) => text(part.bytes));
      if (key === KEY) known = value ?? '';
    }
    return { ...(JSON.parse(known) as Omit<PreparedGraph, 'bytes'>), bytes };
  } catch {
    return undefined;
  }
}
