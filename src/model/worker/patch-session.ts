/** The session for passes in which a state is moved: opened when a study asks for it, and again for more layers. */
import { mapGraphIo, type ValueInfo } from '../runtime/graph-io.ts';
import { prepareGraph } from '../graph/prepare-graph.ts';
import { openSession } from '../runtime/session.ts';
import type { DecoderParts } from '../runtime/decoder.ts';
import type ort from '../../onnx/runtime.ts';
import type { ModelFolder } from '../folder/model-folder.ts';
import type { ModelOptions } from '../types.ts';

export interface PatchSession {
  /** Opens it for these layers, 1..L, and those asked for before. */
  open(layers: readonly number[]): Promise<void>;
  /** Undefined while no layer was asked for. */
  held(): DecoderParts | undefined;
  release(): Promise<void>;
}

/** @param parts of the model's own session, whose cache the passes go on from */
export function createPatchSession(
  folder: ModelFolder,
  { options, parts }: { options: ModelOptions; parts: DecoderParts },
): PatchSession {
  let held: { layers: readonly number[]; session: ort.InferenceSession; parts: DecoderParts } | undefined;
  let opening = Promise.resolve();
  const open = async (layers: readonly number[]): Promise<void> => {
    const known = held?.layers ?? [];
    if (layers.every((layer) => known.includes(layer))) return;
    const all = [...new Set([...known, ...layers])].sort((a, b) => a - b);
    const { cacheFolder, provider } = options;
    const { bytes, weightsFolder, deviceOutputs } = await prepareGraph(folder, cacheFolder, {
      provider,
      patched: all,
    });
    const session = await openSession(bytes, { ...options, weightsFolder, deviceOutputs });
    const before = held?.session;
    const [inputs, outputs] = [session.inputMetadata, session.outputMetadata];
    const io = mapGraphIo(inputs as readonly ValueInfo[], outputs as readonly ValueInfo[]);
    held = { layers: all, session, parts: { ...parts, session, io } };
    await before?.release();
  };
  return {
    // one after the other: two dialogues may be opened at once
    open: (layers) => (opening = opening.catch(() => undefined).then(() => open(layers))),
    held: () => held?.parts,
    release: async () => held?.session.release(),
  };
}
