/** Writes a model's graph with its layers as outputs, for use elsewhere. */
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../process/make-folder.ts';
import type { GraphChoice } from '../folder/find-graph.ts';
import { locateGraph } from '../folder/model-folder.ts';
import { tapGraph } from './tap-graph.ts';

/**
 * External weights are not copied: the file must then lie beside them.
 * @returns tensor name by layer, 0 being what enters the first block
 */
export async function writeTapped(
  folder: string,
  file: string,
  choice?: GraphChoice,
): Promise<Record<string, string>> {
  const { graph, taps } = await tapGraph(await locateGraph(folder, choice));
  await makeFolder(dirname(file));
  await writeFile(file, graph);
  return Object.fromEntries(taps.map((name, layer) => [String(layer), name]));
}
