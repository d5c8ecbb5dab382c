/** A model's graph with its layers as outputs and the same graph without; the difference is the cost of tapping. */
import { basename, dirname } from 'node:path';
import { createDecoder, type Decoder } from '../../src/model/runtime/decoder.ts';
import { type GraphIo, mapGraphIo, type ValueInfo } from '../../src/model/runtime/graph-io.ts';
import { externaliseWeights } from '../../src/model/graph/externalise-weights.ts';
import { type ModelFolder, readModelFolder } from '../../src/model/folder/model-folder.ts';
import { packOutputs } from '../../src/model/graph/pack-outputs.ts';
import { packWanted } from '../../src/model/graph/pack-wanted.ts';
import { patchGraph } from '../../src/model/graph/patch-graph.ts';
import { prepareGraph } from '../../src/model/graph/prepare-graph.ts';
import { openDeviceMemory } from '../../src/model/runtime/device/shorten-cache.ts';
import { openSession } from '../../src/model/runtime/session.ts';
import { readGraphFile, searchGraph } from '../../src/model/graph/tap-graph.ts';
import type { Provider } from '../../src/model/types.ts';
import { temporaryFolder } from '../../test/fixtures/onnx/write-folder.ts';
import type { Subject } from './subjects.ts';

export interface BothGraphs {
  tapped: () => Decoder;
  plain: () => Decoder;
  layers: number[];
  dims: number;
  io: GraphIo;
}

/** Opens both graphs, with one thread each. */
export async function openBothGraphs(subject: Subject, provider: Provider = 'cpu'): Promise<BothGraphs> {
  const folder = await readModelFolder(subject.folder);
  const { bytes, taps, deviceOutputs } = await prepareGraph(folder, await temporaryFolder(), { provider });
  const given = { provider, folder, deviceOutputs };
  const tapped = await opener(subject, { ...given, bytes, states: taps.length });
  const bare = await withoutTaps(folder, deviceOutputs);
  const plain = await opener(subject, { ...given, bytes: bare, states: 0 });
  return {
    tapped: tapped.open,
    plain: plain.open,
    io: tapped.io,
    layers: taps.map((_, layer) => layer),
    dims: folder.config.dims,
  };
}

/** The same graph with the same cache, and only the logits as output. */
async function withoutTaps(folder: ModelFolder, deviceOutputs: readonly string[]): Promise<Uint8Array> {
  const bytes = externaliseWeights(await readGraphFile(folder.graph), basename(folder.graph));
  const { model } = searchGraph(bytes, folder);
  const none = { taps: [], outputs: [], edits: [] };
  const pack = deviceOutputs.length > 0 ? packWanted(none) : packOutputs(model, none);
  return patchGraph(bytes, model.graph.bytes, pack);
}

interface Opening {
  provider: Provider;
  folder: ModelFolder;
  bytes: Uint8Array;
  deviceOutputs: readonly string[];
  states: number;
}

interface Opened {
  io: GraphIo;
  open: () => Decoder;
}

async function opener(
  subject: Subject,
  { provider, folder, bytes, deviceOutputs, states }: Opening,
): Promise<Opened> {
  const session = await openSession(bytes, {
    provider,
    threads: 1,
    weightsFolder: dirname(folder.graph),
    shareWeights: subject.shareWeights,
    deviceOutputs,
  });
  const io = mapGraphIo(
    session.inputMetadata as readonly ValueInfo[],
    session.outputMetadata as readonly ValueInfo[],
  );
  const { dims } = folder.config;
  const device = await openDeviceMemory(io.slots, deviceOutputs, { provider, threads: 1 });
  const parts = { session, io, states, dims, sharedCache: false, device };
  return { io, open: () => createDecoder(parts) };
}
