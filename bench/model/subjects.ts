/**
 * The models of the benchmark: the smallest shipped one, and one with more than 100 M random parameters.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LlamaWeights, randomWeights } from '../../test/fixtures/onnx/llama2c.ts';
import { byteLevelTokenizer, TEMPLATES, tokenizerConfig } from '../../test/fixtures/onnx/tokenizers.ts';
import { writeLlamaFolder } from '../../test/fixtures/onnx/write-folder.ts';

export interface Subject {
  name: string;
  folder: string;
  /**
   * Whether sessions map the weights from their file. Otherwise each session packs its matrices into pages of its own,
   * and two sessions of one large model differ in speed by up to 15 %.
   */
  shareWeights: boolean;
}

export async function smallestModel(): Promise<Subject> {
  const shipped = await shippedModels();
  const [first] = shipped.sort((a, b) => a.bytes - b.bytes);
  if (first) return { name: first.name, folder: first.folder, shareWeights: false };
  const { folder } = await writeRandom({ dims: 160, hidden: 416, layers: 6, heads: 5, vocabulary: 2048 });
  return { name: 'random, 2.4 M parameters', folder, shareWeights: false };
}

/** The largest shipped model. */
export async function largestModel(): Promise<Subject | undefined> {
  const [first] = (await shippedModels()).sort((a, b) => b.bytes - a.bytes);
  return first && { name: first.name, folder: first.folder, shareWeights: false };
}

/** 113 M parameters, float32, in the style of torch.onnx. */
export async function largeModel(): Promise<Subject> {
  const { name, ...shape } = LARGE;
  const { folder } = await writeRandom(shape);
  return { name, folder, shareWeights: true };
}

export const LARGE = {
  name: 'random, 113 M parameters',
  dims: 768,
  hidden: 2048,
  layers: 12,
  heads: 12,
  vocabulary: 18_000,
};
export const LIKE_8M = {
  name: 'random, shape of the 8m',
  dims: 320,
  hidden: 896,
  layers: 6,
  heads: 5,
  vocabulary: 2048,
};

interface Shipped {
  name: string;
  folder: string;
  bytes: number;
}

async function shippedModels(): Promise<Shipped[]> {
  // One level higher when compiled.
  for (const up of ['../../models', '../../../models']) {
    const root = fileURLToPath(new URL(up, import.meta.url));
    const names = await readdir(root).catch(() => []);
    const found: Shipped[] = [];
    for (const name of names) {
      const folder = join(root, name);
      const size = await stat(join(folder, 'onnx/model.onnx')).catch(() => undefined);
      if (size) found.push({ name, folder, bytes: size.size });
    }
    if (found.length > 0) return found;
  }
  return [];
}

export async function writeRandom(shape: {
  dims: number;
  hidden: number;
  layers: number;
  heads: number;
  vocabulary: number;
}): Promise<{ folder: string; weights: LlamaWeights }> {
  const files = byteLevelTokenizer(180);
  const weights = randomWeights({ ...shape, keyValueHeads: shape.heads, context: 2048 }, 5);
  const folder = await writeLlamaFolder(
    weights,
    { style: 'torch', external: 'model.onnx_data' },
    { ...files, tokenizerConfig: tokenizerConfig(TEMPLATES.own) },
  );
  return { folder, weights };
}
