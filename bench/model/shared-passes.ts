/**
 * Decode steps of dialogues that share passes, with all layers tapped: speed by number of dialogues, beside a dialogue
 * with passes of its own.
 */
import { dirname } from 'node:path';
import { createDecoder, type Decoder } from '../../src/model/runtime/decoder.ts';
import { mapGraphIo, type ValueInfo } from '../../src/model/runtime/graph-io.ts';
import { probePasses } from '../../src/model/runtime/probe-passes.ts';
import { openSession } from '../../src/model/runtime/session.ts';
import { createSharedDecoders } from '../../src/model/runtime/shared-decoder.ts';
import { readModelFolder } from '../../src/model/folder/model-folder.ts';
import { prepareGraph } from '../../src/model/graph/prepare-graph.ts';
import { temporaryFolder } from '../../test/fixtures/onnx/write-folder.ts';
import { compare, cpuMs, median, medianRatio } from './measure.ts';
import type { Subject } from './subjects.ts';

export interface SharedPasses {
  /** Most dialogues in a pass, as the probe found. */
  rowsPerPass: number;
  /** Tokens per second of one dialogue with passes of its own. */
  own: number;
  /**
   * By number of dialogues: tokens per second of all together, and its ratio to `own`.
   */
  shared: { dialogues: number; tokensPerSecond: number; ratio: number }[];
  /** Tokens per second of eight dialogues divided by that of one. */
  eightByOne: number;
}

const MOST = 16;
/** Tokens in each dialogue when timing begins. */
const HELD = [200, 150, 190, 120, 205, 170, 140, 180, 160, 130, 195, 110, 185, 155, 125, 175];

/** Measures on one thread. */
export async function measureSharedPasses(
  subject: Subject,
  { tokens, rounds, counts }: { tokens: number; rounds: number; counts: readonly number[] },
): Promise<SharedPasses> {
  const parts = await openParts(subject);
  const { contextTokens } = parts;
  const limits = await probePasses(parts, { most: MOST, contextTokens });
  const layers = Array.from({ length: parts.states }, (_, layer) => layer);
  const decode = async (open: () => Decoder, dialogues: number): Promise<number> => {
    const decoders = HELD.slice(0, dialogues).map(open);
    for (const [i, decoder] of decoders.entries()) {
      await decoder.run(idsOf(HELD[i] as number), []);
      await decoder.run([7], layers);
    }
    const start = cpuMs();
    await Promise.all(decoders.map((decoder) => speak(decoder, { tokens, layers })));
    const ms = cpuMs() - start;
    for (const decoder of decoders) decoder.close();
    return ms / dialogues;
  };
  const openShared = createSharedDecoders(parts, limits);
  const works = Object.fromEntries(counts.map((n) => [String(n), () => decode(openShared, n)]));
  const ms = await compare<string>(rounds, { own: () => decode(() => createDecoder(parts), 1), ...works });
  const own = ms['own'] as number[];
  const rate = (times: readonly number[]): number => (tokens / median(times)) * 1000;
  return {
    rowsPerPass: limits.rowsPerPass,
    own: rate(own),
    eightByOne: medianRatio(ms['1'] as number[], ms['8'] as number[]),
    shared: counts.map((dialogues) => {
      const times = ms[String(dialogues)] as number[];
      return { dialogues, tokensPerSecond: rate(times), ratio: medianRatio(own, times) };
    }),
  };
}

async function openParts(subject: Subject) {
  const folder = await readModelFolder(subject.folder);
  const { bytes, taps, sharedCache } = await prepareGraph(folder, await temporaryFolder());
  const { shareWeights } = subject;
  const weightsFolder = dirname(folder.graph);
  const session = await openSession(bytes, { provider: 'cpu', threads: 1, weightsFolder, shareWeights });
  const io = mapGraphIo(
    session.inputMetadata as readonly ValueInfo[],
    session.outputMetadata as readonly ValueInfo[],
  );
  const { dims, contextTokens } = folder.config;
  return { session, io, states: taps.length, dims, contextTokens, sharedCache };
}

async function speak(
  decoder: Decoder,
  { tokens, layers }: { tokens: number; layers: readonly number[] },
): Promise<void> {
  for (let step = 0; step < tokens; step++) await decoder.run([5 + ((step * 17) % 100)], layers);
}

function idsOf(length: number): number[] {
  return Array.from({ length }, (_, i) => 5 + ((i * 31) % 100));
}
