/** Opens a folder's graph alone, tapped, as a decoder: no tokenizer needed. */
import { dirname } from 'node:path';
import { createDecoder, type Decoder, type DecoderParts } from '../../../src/model/decoder.ts';
import { mapGraphIo, type ValueInfo } from '../../../src/model/graph-io.ts';
import { readModelFolder } from '../../../src/model/model-folder.ts';
import { type PreparedGraph, prepareGraph } from '../../../src/model/prepare-graph.ts';
import { openSession } from '../../../src/model/session.ts';
import type { Provider } from '../../../src/model/types.ts';
import { temporaryFolder } from '../../onnx/write-folder.ts';

export interface OpenGraph {
  tapped: PreparedGraph;
  parts: DecoderParts;
  layers: number;
  dims: number;
  openDecoder(sharedCache?: boolean): Decoder;
}

/** @param preparedFor the provider whose limits the graph keeps to; it runs on the CPU */
export async function openGraph(path: string, preparedFor: Provider = 'cpu'): Promise<OpenGraph> {
  const folder = await readModelFolder(path);
  const tapped = await prepareGraph(folder, await temporaryFolder(), preparedFor);
  const { dims, layers } = folder.config;
  const session = await openSession(tapped.bytes, {
    provider: 'cpu',
    threads: 1,
    weightsFolder: dirname(folder.graph),
  });
  const io = mapGraphIo(
    session.inputMetadata as readonly ValueInfo[],
    session.outputMetadata as readonly ValueInfo[],
  );
  const parts = { session, io, states: tapped.taps.length, dims, sharedCache: tapped.sharedCache };
  return {
    tapped,
    parts,
    layers,
    dims,
    openDecoder: (sharedCache = tapped.sharedCache) => createDecoder({ ...parts, sharedCache }),
  };
}

export function allLayers(layers: number): number[] {
  return Array.from({ length: layers + 1 }, (_, layer) => layer);
}

/** Largest difference, relative to the larger of 1 and the largest value expected. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  let largest = 1;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? 0)));
    largest = Math.max(largest, Math.abs(expected[i] ?? 0));
  }
  return Number.isNaN(worst) || actual.length !== expected.length
    ? Number.POSITIVE_INFINITY
    : worst / largest;
}
