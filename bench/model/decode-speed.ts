/** Tokens per second: tapped and streamed, without taps, and with transformers.js on the same folder. */
import { AutoModelForCausalLM, env, type PreTrainedModel, Tensor } from '@huggingface/transformers';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { createDecoder, type Decoder } from '../../src/model/decoder.ts';
import { mapGraphIo, type ValueInfo } from '../../src/model/graph-io.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { sampleToken } from '../../src/model/sample.ts';
import { openSession } from '../../src/model/session.ts';
import { gather } from '../../src/model/step-states.ts';
import { tapGraph } from '../../src/model/tap-graph.ts';
import { compare } from './measure.ts';
import type { Subject } from './subjects.ts';

export interface DecodeSpeed {
  tokensPerSecond: { tapped: number; plain: number; transformers: number };
}

const PROMPT = Array.from({ length: 32 }, (_, i) => 20 + ((i * 7) % 90));
const GREEDY = {
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  seen: new Set<number>(),
  banned: new Set<number>(),
  random: () => 0,
};

/** One thread each. */
export async function measureDecodeSpeed(
  subject: Subject,
  { tokens, rounds }: { tokens: number; rounds: number },
): Promise<DecodeSpeed> {
  const { tapped, plain, layers, dims } = await openBoth(subject);
  const theirs = await openTransformers(subject);
  const { port1, port2 } = new MessageChannel();
  const ms = await compare(rounds, {
    tapped: () => decode(tapped(), { tokens, layers, dims, port: port1 }),
    plain: () => decode(plain(), { tokens, layers: [], dims, port: undefined }),
    transformers: () => generate(theirs, tokens),
  });
  port1.close();
  port2.close();
  await theirs.dispose();
  const rate = (time: number): number => (tokens / time) * 1000;
  return {
    tokensPerSecond: {
      tapped: rate(ms.tapped),
      plain: rate(ms.plain),
      transformers: rate(ms.transformers),
    },
  };
}

interface Both {
  tapped: () => Decoder;
  plain: () => Decoder;
  layers: number[];
  dims: number;
}

async function openBoth(subject: Subject): Promise<Both> {
  const folder = await readModelFolder(subject.folder);
  const { graph, taps, sharedCache } = await tapGraph(folder);
  const { dims } = folder.config;
  const open = async (bytes: Uint8Array): Promise<() => Decoder> => {
    const weightsFolder = dirname(folder.graph);
    const session = await openSession(bytes, { provider: 'cpu', threads: 1, weightsFolder });
    const io = mapGraphIo(
      session.inputMetadata as readonly ValueInfo[],
      session.outputMetadata as readonly ValueInfo[],
    );
    return () => createDecoder({ session, io, taps, dims, sharedCache });
  };
  return {
    tapped: await open(graph),
    plain: await open(await readFile(folder.graph)),
    layers: taps.map((_, layer) => layer),
    dims,
  };
}

interface Decoding {
  tokens: number;
  layers: number[];
  dims: number;
  /** Where the states are sent, as the worker sends them to the main thread. */
  port: MessagePort | undefined;
}

async function decode(decoder: Decoder, { tokens, layers, dims, port }: Decoding): Promise<void> {
  let pass = await decoder.run(PROMPT, layers);
  for (let i = 0; i < tokens; i++) {
    const id = sampleToken(pass.logits.slice(), GREEDY);
    pass = await decoder.run([id], layers);
    if (!port) continue;
    const data = gather(pass, { layers, rows: [0], dims });
    port.postMessage({ type: 'steps', data }, [data.buffer as ArrayBuffer]);
  }
}

async function openTransformers(subject: Subject): Promise<PreTrainedModel> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(subject.folder);
  return AutoModelForCausalLM.from_pretrained(basename(subject.folder), {
    dtype: 'fp32',
    device: 'cpu',
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
    use_external_data_format: await usesExternalData(subject),
  });
}

async function usesExternalData(subject: Subject): Promise<boolean> {
  const { externalFiles } = await tapGraph(await readModelFolder(subject.folder));
  return externalFiles.length > 0;
}

async function generate(model: PreTrainedModel, tokens: number): Promise<void> {
  const ids = new Tensor('int64', BigInt64Array.from(PROMPT, BigInt), [1, PROMPT.length]);
  const mask = new Tensor(
    'int64',
    BigInt64Array.from(PROMPT, () => 1n),
    [1, PROMPT.length],
  );
  // One more: its first token comes out of the prefill, ours are counted in decode steps.
  const max_new_tokens = tokens + 1;
  const options = {
    inputs: ids,
    attention_mask: mask,
    max_new_tokens,
    min_new_tokens: max_new_tokens,
    do_sample: false,
  };
  await model.generate(options);
}
