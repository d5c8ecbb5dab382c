/**
 * Decides which dialogues share a pass; tested once for a graph, provider, processor and number of threads, and
 * cached.
 */
import { cpus } from 'node:os';
import { createDecoder, type Decoder, type DecoderParts } from '../runtime/decoder.ts';
import { openNote } from '../folder/file-cache.ts';
import { probePasses } from '../runtime/probe-passes.ts';
import { createSharedDecoders, type PassLimits } from '../runtime/shared-decoder.ts';
import type { ModelFolder } from '../folder/model-folder.ts';
import type { ModelOptions } from '../types.ts';

export interface Passes {
  /** How many dialogues may share a pass without changing a bit of their results. */
  rowsPerPass: number;
  /** The tokens of a decoder that yields are computed after those of decoders that do not. */
  openDecoder(yields?: boolean): Decoder;
}

const MOST_ROWS = 16;
/** Version of the test and of what it runs; another number makes cached results invalid. */
const PROBE = 6;

/** Dialogues share passes if the graph keeps the bits of each; otherwise each has its own. */
export async function openPasses(
  { graph, config }: Pick<ModelFolder, 'graph' | 'config'>,
  options: ModelOptions,
  parts: DecoderParts,
): Promise<Passes> {
  const { contextTokens } = config;
  const limits = await knownLimits(graph, options, () =>
    probePasses(parts, { most: MOST_ROWS, contextTokens }),
  );
  const { rowsPerPass } = limits;
  const openDecoder = rowsPerPass > 1 ? createSharedDecoders(parts, limits) : () => createDecoder(parts);
  return { rowsPerPass, openDecoder };
}

async function knownLimits(
  graph: string,
  { cacheFolder, provider, threads }: ModelOptions,
  probe: () => Promise<PassLimits>,
): Promise<PassLimits> {
  const on = [provider, threads, process.arch, cpus()[0]?.model, process.versions.node, PROBE].join('\n');
  const note = await openNote(graph, cacheFolder, { kind: 'passes', variant: `\n${on}` });
  const known = readLimits((await note.read())?.toString('utf8') ?? '');
  if (known) return known;
  const limits = await probe();
  const { rowsPerPass, chunks } = limits;
  await note.write([rowsPerPass, chunks.rows, chunks.segment].join(' '));
  return limits;
}

/** @returns undefined if the note is empty or damaged */
function readLimits(text: string): PassLimits | undefined {
  const [, rowsPerPass, rows, segment] = /^([1-9]\d?) ([1-9]\d?) (128|256)$/.exec(text) ?? [];
  if (rowsPerPass === undefined) return undefined;
  return {
    rowsPerPass: Number(rowsPerPass),
    chunks: { rows: Number(rows), segment: Number(segment) },
  };
}
