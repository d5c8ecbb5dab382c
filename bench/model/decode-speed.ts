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
import { MessageChannel } from 'node:worker_threads';
import type { GraphIo } from '../../src/model/runtime/graph-io.ts';
import { rowFloats } from '../../src/model/runtime/kv-cache.ts';
import { readModelFolder } from '../../src/model/folder/model-folder.ts';
import { prepareGraph } from '../../src/model/graph/prepare-graph.ts';
import { openBothGraphs } from './both-graphs.ts';
import { decodeTokens, PROMPT } from './decode-tokens.ts';
import { compare, cpuMs, median, medianRatio } from './measure.ts';
import type { Subject } from './subjects.ts';

export interface DecodeSpeed {
  tokensPerSecond: { tapped: number; plain: number; transformers: number };
  /** Speed with taps divided by speed without, and speed without divided by that of transformers.js. */
  ratios: { tapped: number; plain: number };
  /**
   * Bytes that the binding copies into JavaScript's memory for a token: with only the new rows, and with the whole
   * cache as an output of each step.
   */
  copiedBytes: { cache: number; wholeCache: number };
}

/** Tokens in the cache at which the copied bytes are counted. */
const HELD = 256;
/** The whole cache is copied once in so many tokens. */
const WHOLE_EVERY = 64;

/** Measures with one thread each. */
export async function measureDecodeSpeed(
  subject: Subject,
  { tokens, rounds }: { tokens: number; rounds: number },
): Promise<DecodeSpeed> {
  const { tapped, plain, layers, dims, io } = await openBothGraphs(subject);
  const theirs = await openTransformers(subject);
  const { port1: port, port2 } = new MessageChannel();
  const ms = await compare(rounds, {
    tapped: () => decodeTokens(tapped(), { tokens, layers, dims, port, nowMs: cpuMs }),
    plain: () => decodeTokens(plain(), { tokens, layers: [], dims, port, nowMs: cpuMs }),
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

export async function openTransformers(subject: Subject): Promise<PreTrainedModel> {
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

/** @returns milliseconds after the first token, which includes the prompt */
async function generate(model: PreTrainedModel, tokens: number): Promise<number> {
  const ids = new Tensor('int64', BigInt64Array.from(PROMPT, BigInt), [1, PROMPT.length]);
  const mask = new Tensor(
    'int64',
    BigInt64Array.from(PROMPT, () => 1n),
    [1, PROMPT.length],
  );
  // One more, since its first token comes from the prefill and ours are counted in decode steps.
  const max_new_tokens = tokens + 1;
  let told = 0;
  let start = 0;
  const streamer = new BaseStreamer();
  // It is called with the prompt first, then with each token.
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
    // The type requires a TextStreamer, although any streamer works.
    streamer: streamer as TextStreamer,
  };
  await model.generate(options);
  return cpuMs() - start;
}
