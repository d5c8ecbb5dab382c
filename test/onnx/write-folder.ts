/** Puts a built model into a folder of the system's temporary directory, as the hub would have it. */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { concat } from '../../src/model/protobuf.ts';
import { buildLlama, type LlamaStyle } from './llama-graph.ts';
import type { LlamaWeights } from './llama2c.ts';

const made = new Set<string>();
process.on('exit', () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Gone when this process ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(process.env['ENTRAIN_TEST_TMP'] ?? tmpdir(), 'entrain-test-'));
  made.add(folder);
  return folder;
}

export interface FolderFiles {
  tokenizer?: object;
  tokenizerConfig?: object;
  endTokenIds?: number[];
}

export async function writeLlamaFolder(
  weights: LlamaWeights,
  style: LlamaStyle,
  files: FolderFiles = {},
): Promise<string> {
  const folder = await temporaryFolder();
  const built = buildLlama(weights, style);
  await put(join(folder, 'onnx/model.onnx'), built.onnx);
  if (style.external !== undefined) await put(join(folder, 'onnx', style.external), concat(built.data));
  await put(join(folder, 'config.json'), JSON.stringify(configOf(weights, files)));
  if (files.tokenizer) await put(join(folder, 'tokenizer.json'), JSON.stringify(files.tokenizer));
  await put(join(folder, 'tokenizer_config.json'), JSON.stringify(files.tokenizerConfig ?? {}));
  return folder;
}

async function put(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

function configOf({ shape }: LlamaWeights, { endTokenIds }: FolderFiles): object {
  return {
    model_type: 'llama',
    num_hidden_layers: shape.layers,
    hidden_size: shape.dims,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.keyValueHeads,
    vocab_size: shape.vocabulary,
    max_position_embeddings: shape.context,
    eos_token_id: endTokenIds ?? 2,
  };
}
