/**
 * llama.cpp through node-llama-cpp, where the reader has installed it: its programs are no dependency of ours. A folder
 * of the package may be named by ENTRAIN_LLAMA_CPP.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cpuMs, median } from './measure.ts';

/** What is used of the package. */
interface LlamaCpp {
  getLlama(
    options: object,
  ): Promise<{ loadModel(options: object): Promise<LlamaModel>; dispose(): Promise<void> }>;
}

interface LlamaModel {
  createContext(options: object): Promise<LlamaContext>;
}

interface LlamaContext {
  getSequence(): LlamaSequence;
  dispose(): Promise<void>;
}

interface LlamaSequence {
  evaluate(tokens: readonly number[], options: object): AsyncIterable<number>;
}

/** @returns undefined if the package is not there */
export async function findLlamaCpp(): Promise<LlamaCpp | undefined> {
  const folder = process.env['ENTRAIN_LLAMA_CPP'];
  const place = folder === undefined ? 'node-llama-cpp' : pathToFileURL(join(folder, 'dist/index.js')).href;
  try {
    return (await import(place)) as LlamaCpp;
  } catch {
    return undefined;
  }
}

interface LlamaRun {
  file: string;
  /** Tokens in each dialogue when timing begins. */
  held: number;
  tokens: number;
  rounds: number;
  counts: readonly number[];
}

/** Decode steps on one thread, logits alone. @returns tokens per second of processor time, by number of dialogues */
export async function measureLlamaCpp(
  { getLlama }: LlamaCpp,
  { file, held, tokens, rounds, counts }: LlamaRun,
): Promise<{ dialogues: number; tokensPerSecond: number }[]> {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    maxThreads: 1,
    logLevel: 'error',
    progressLogs: false,
  });
  const model = await llama.loadModel({ modelPath: file });
  const found: { dialogues: number; tokensPerSecond: number }[] = [];
  for (const dialogues of counts) {
    const times: number[] = [];
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      const context = await model.createContext({
        sequences: dialogues,
        contextSize: 512,
        batchSize: 512,
        threads: 1,
      });
      const ms = await decode(context, { dialogues, held, tokens });
      await context.dispose();
      if (round > 0) times.push(ms);
    }
    found.push({ dialogues, tokensPerSecond: (1000 * dialogues * tokens) / median(times) });
  }
  await llama.dispose();
  return found;
}

/** @returns milliseconds of processor time of the steps after the prompts and first tokens of all dialogues */
async function decode(
  context: LlamaContext,
  { dialogues, held, tokens }: { dialogues: number; held: number; tokens: number },
): Promise<number> {
  const streams = Array.from({ length: dialogues }, (_, row) => {
    const ids = Array.from({ length: held }, (__, i) => 5 + ((i * 31 + row) % 100));
    const options = { temperature: 0, yieldEogToken: true };
    return context.getSequence().evaluate(ids, options)[Symbol.asyncIterator]();
  });
  await Promise.all(streams.map((stream) => stream.next()));
  const start = cpuMs();
  await Promise.all(
    streams.map(async (stream) => {
      for (let step = 0; step < tokens; step++) await stream.next();
    }),
  );
  const ms = cpuMs() - start;
  for (const stream of streams) await stream.return?.();
  return ms;
}
