/** Tokens per second: tapped and streamed, without taps, and with transformers.js on the same folder. */
import {
  AutoModelForCausalLM,
  BaseStreamer,
  env,
  type PreTrainedModel,
  Tensor,
  type TextStreamer,
} from '@huggingface/transformers';
import { basename, dirname } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { createDecoder, type Decoder } from '../../src/model/decoder.ts';
import { type GraphIo, mapGraphIo, type ValueInfo } from '../../src/model/graph-io.ts';
import { rowFloats } from '../../src/model/kv-cache.ts';
import { lightenGraph } from '../../src/model/light-graph.ts';
import { type ModelFolder, readModelFolder } from '../../src/model/model-folder.ts';
import { packPass } from '../../src/model/pack-pass.ts';
import { patchGraph } from '../../src/model/patch-graph.ts';
import { prepareGraph } from '../../src/model/prepare-graph.ts';
import { sampleToken } from '../../src/model/sample.ts';
import { openSession } from '../../src/model/session.ts';
import { gather } from '../../src/model/step-states.ts';
import { readGraphFile, searchGraph } from '../../src/model/tap-graph.ts';
import { temporaryFolder } from '../../test/onnx/write-folder.ts';
import { compare, cpuMs, median, medianRatio } from './measure.ts';
import type { Subject } from './subjects.ts';

export interface DecodeSpeed {
  tokensPerSecond: { tapped: number; plain: number; transformers: number };
  /** Speed with taps by speed without, and that by the speed of transformers.js. */
  ratios: { tapped: number; plain: number };
  /** What the binding copies into JavaScript's memory for a token: by rows, and if the whole cache came out at each step. */
  copiedBytes: { cache: number; wholeCache: number };
}

/** Tokens held where the bytes copied are counted, and after how many the whole cache is copied. */
const HELD = 256;
const WHOLE_EVERY = 64;

const PROMPT = Array.from({ length: 32 }, (_, i) => 20 + ((i * 7) % 90));
const GREEDY = {
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, stops: [] },
  seen: new Set<number>(),
  banned: new Set<number>(),
  random: () => 0,
};

/** One thread each. */
export async function measureDecodeSpeed(
  subject: Subject,
  { tokens, rounds }: { tokens: number; rounds: number },
): Promise<DecodeSpeed> {
  const { tapped, plain, layers, dims, io } = await openBoth(subject);
  const theirs = await openTransformers(subject);
  const { port1: port, port2 } = new MessageChannel();
  const ms = await compare(rounds, {
    tapped: () => decode(tapped(), { tokens, layers, dims, port }),
    plain: () => decode(plain(), { tokens, layers: [], dims, port }),
    transformers: () => generate(theirs, tokens),
  });
  port.close();
  port2.close();
  await theirs.dispose();
  const rate = (times: readonly number[]): number => (tokens / median(times)) * 1000;
  return {
    tokensPerSecond: {
      tapped: rate(ms.tapped),
      plain: rate(ms.plain),
      transformers: rate(ms.transformers),
    },
    ratios: {
      tapped: medianRatio(ms.plain, ms.tapped),
      plain: medianRatio(ms.transformers, ms.plain),
    },
    copiedBytes: countBytes(io),
  };
}

function countBytes(io: GraphIo): DecodeSpeed['copiedBytes'] {
  const row = rowFloats(io.slots) * Float32Array.BYTES_PER_ELEMENT;
  return { cache: row + (HELD / WHOLE_EVERY) * row, wholeCache: row * HELD };
}

interface Both {
  tapped: () => Decoder;
  plain: () => Decoder;
  layers: number[];
  dims: number;
  io: GraphIo;
}

async function openBoth(subject: Subject): Promise<Both> {
  const folder = await readModelFolder(subject.folder);
  const { bytes, taps } = await prepareGraph(folder, await temporaryFolder());
  const tapped = await opener(subject, { folder, bytes, states: taps.length });
  const plain = await opener(subject, { folder, bytes: await withoutTaps(folder), states: 0 });
  return {
    tapped: tapped.open,
    plain: plain.open,
    io: tapped.io,
    layers: taps.map((_, layer) => layer),
    dims: folder.config.dims,
  };
}

/** The same graph, with the same cache and the logits alone. */
async function withoutTaps(folder: ModelFolder): Promise<Uint8Array> {
  const bytes = lightenGraph(await readGraphFile(folder.graph), basename(folder.graph));
  const { model } = searchGraph(bytes, folder);
  return patchGraph(bytes, model.graph.bytes, packPass(model, { taps: [], outputs: [], edits: [] }));
}

interface Opening {
  folder: ModelFolder;
  bytes: Uint8Array;
  states: number;
}

interface Opened {
  io: GraphIo;
  open: () => Decoder;
}

async function opener(subject: Subject, { folder, bytes, states }: Opening): Promise<Opened> {
  const session = await openSession(bytes, {
    provider: 'cpu',
    threads: 1,
    weightsFolder: dirname(folder.graph),
    shareWeights: subject.shareWeights,
  });
  const io = mapGraphIo(
    session.inputMetadata as readonly ValueInfo[],
    session.outputMetadata as readonly ValueInfo[],
  );
  const { dims } = folder.config;
  return { io, open: () => createDecoder({ session, io, states, dims, sharedCache: false }) };
}

interface Decoding {
  tokens: number;
  layers: number[];
  dims: number;
  /** Where tokens and their states are sent, as the worker sends them to the main thread. */
  port: MessagePort;
}

/** @returns milliseconds behind the prompt */
async function decode(decoder: Decoder, { tokens, layers, dims, port }: Decoding): Promise<number> {
  let pass = await decoder.run(PROMPT, layers);
  const start = cpuMs();
  for (let i = 0; i < tokens; i++) {
    const id = sampleToken(pass.logits.slice(), GREEDY);
    pass = await decoder.run([id], layers);
    const events: object[] = [
      { type: 'token', token: { step: i, text: ' word', byte0: 5 * i, byte1: 5 * i + 5 } },
    ];
    if (layers.length > 0) {
      const data = gather(pass, { layers, rows: [0], dims });
      const states = { role: 'speak', step0: i, bytes: [[5 * i, 5 * i + 5]], layers, data };
      events.push({ type: 'steps', states });
      port.postMessage({ type: 'events', call: 1, events }, [data.buffer as ArrayBuffer]);
    } else port.postMessage({ type: 'events', call: 1, events });
  }
  return cpuMs() - start;
}

async function openTransformers(subject: Subject): Promise<PreTrainedModel> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(subject.folder);
  return AutoModelForCausalLM.from_pretrained(basename(subject.folder), {
    dtype: 'fp32',
    device: 'cpu',
    session_options: {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      extra: { session: { disable_prepacking: subject.shareWeights ? '1' : '0' } },
    },
    use_external_data_format: await usesExternalData(subject),
  });
}

async function usesExternalData(subject: Subject): Promise<boolean> {
  const { externalFiles } = await prepareGraph(await readModelFolder(subject.folder));
  return externalFiles.length > 0;
}

/** @returns milliseconds behind the first token, which is the prompt's */
async function generate(model: PreTrainedModel, tokens: number): Promise<number> {
  const ids = new Tensor('int64', BigInt64Array.from(PROMPT, BigInt), [1, PROMPT.length]);
  const mask = new Tensor(
    'int64',
    BigInt64Array.from(PROMPT, () => 1n),
    [1, PROMPT.length],
  );
  // One more: its first token comes out of the prefill, ours are counted in decode steps.
  const max_new_tokens = tokens + 1;
  let told = 0;
  let start = 0;
  const streamer = new BaseStreamer();
  // It is told of the prompt first, then of each token.
  streamer.put = () => {
    if (++told === 2) start = cpuMs();
  };
  streamer.end = () => undefined;
  const options = {
    inputs: ids,
    attention_mask: mask,
    max_new_tokens,
    min_new_tokens: max_new_tokens,
    do_sample: false,
    // Typed as one that writes text, though any will do.
    streamer: streamer as TextStreamer,
  };
  await model.generate(options);
  return cpuMs() - start;
}
