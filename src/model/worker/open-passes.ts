/**
 * Decides which dialogues share a pass; tested once for a graph, provider, processor and number of threads, and
 * cached.
 */
import { cpus } from 'node:os';
import { createDecoder, type Decoder, type DecoderParts } from '../runtime/decoder.ts';
import { openNote } from '../folder/file-cache.ts';
import { probeSteps } from '../runtime/probe-steps.ts';
import { createSharedDecoders } from '../runtime/shared-decoder.ts';
import type { ModelFolder } from '../folder/model-folder.ts';
import type { ModelOptions } from '../types.ts';

export interface Passes {
  /** How many dialogues may share a pass without changing a bit of their results. */
  rowsPerPass: number;
  openDecoder(): Decoder;
}

const MOST_ROWS = 16;
/** Version of the test and of what it runs; another number makes cached results invalid. */
const PROBE = 3;

/** Dialogues share passes if the graph keeps the bits of each; otherwise each has its own. */
export async function openPasses(
  { graph, config }: Pick<ModelFolder, 'graph' | 'config'>,
  options: ModelOptions,
  parts: DecoderParts,
): Promise<Passes> {
  const { contextTokens } = config;
  const rowsPerPass = await knownRows(graph, options, () =>
    probeSteps(parts, { most: MOST_ROWS, contextTokens }),
  );
  const openDecoder = rowsPerPass > 1 ? createSharedDecoders(parts, rowsPerPass) : () => createDecoder(parts);
  return { rowsPerPass, openDecoder };
}

async function knownRows(
  graph: string,
  { cacheFolder, provider, threads }: ModelOptions,
  probe: () => Promise<number>,
): Promise<number> {
  const on = [provider, threads, process.arch, cpus()[0]?.model, process.versions.node, PROBE].join('\n');
  const note = await openNote(graph, cacheFolder, { kind: 'passes', variant: `\n${on}` });
  const known = (await note.read())?.toString('utf8') ?? '';
  if (/^[1-9]\d?$/.test(known)) return Number(known);
  const rows = await probe();
  await note.write(String(rows));
  return rows;
}
