/** A small random sentence encoder in a folder as the hub has it: each token's state depends on the tokens before it and on itself. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '../../src/synchrony/random.ts';
import { byteLevelTokenizer } from './tokenizers.ts';
import { FLOAT, INT64, model, node, tensor, valueInfo } from './write-onnx.ts';
import { temporaryFolder } from './write-folder.ts';

export const ENCODER_DIMS = 16;
export const ENCODER_TOKENS = 32;

/** @param output what the graph calls the states of its tokens */
export async function writeSentenceEncoder(output = 'last_hidden_state'): Promise<string> {
  const folder = await temporaryFolder();
  const { tokenizer, vocabulary } = byteLevelTokenizer(60);
  await mkdir(join(folder, 'onnx'));
  await writeFile(join(folder, 'onnx', 'model.onnx'), encoderGraph(vocabulary, output));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify({ ...tokenizer, post_processor: AROUND }));
  const limits = { model_max_length: ENCODER_TOKENS };
  const names = { tokenizer_class: 'BertTokenizer', pad_token: '<unk>', ...limits };
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(names));
  const config = { model_type: 'bert', hidden_size: ENCODER_DIMS, max_position_embeddings: ENCODER_TOKENS };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

const special = (id: string, number: number) => ({ [id]: { id, ids: [number], tokens: [id] } });

/** <s> before a text and </s> behind it. */
const AROUND = {
  type: 'TemplateProcessing',
  single: [
    { SpecialToken: { id: '<s>', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '</s>', type_id: 0 } },
  ],
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: { ...special('<s>', 1), ...special('</s>', 2) },
};

/** tanh(W · running sum of embeddings of the tokens and their kinds), masked tokens left out. */
function encoderGraph(vocabulary: number, output: string): Uint8Array {
  const random = seededRandom(11);
  const draw = (...dims: number[]): Float32Array =>
    Float32Array.from({ length: dims.reduce((all, size) => all * size, 1) }, () => random.normal() / 4);
  const d = ENCODER_DIMS;
  const shape = ['batch', 'tokens'];
  return model(
    {
      inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => valueInfo(name, INT64, shape)),
      outputs: [valueInfo(output, FLOAT, [...shape, d])],
      weights: [
        tensor('words', [vocabulary, d], draw(vocabulary, d)),
        tensor('kinds', [2, d], draw(2, d)),
        tensor('w', [d, d], draw(d, d)),
        tensor('last', [1], BigInt64Array.of(2n)),
        tensor('along', [], BigInt64Array.of(1n)),
      ],
      nodes: [
        node({ op: 'Gather', inputs: ['words', 'input_ids'], outputs: ['e0'] }),
        node({ op: 'Gather', inputs: ['kinds', 'token_type_ids'], outputs: ['e1'] }),
        node({ op: 'Add', inputs: ['e0', 'e1'], outputs: ['e'] }),
        node({ op: 'Cast', inputs: ['attention_mask'], outputs: ['m0'], attributes: { to: FLOAT } }),
        node({ op: 'Unsqueeze', inputs: ['m0', 'last'], outputs: ['m'] }),
        node({ op: 'Mul', inputs: ['e', 'm'], outputs: ['seen'] }),
        node({ op: 'CumSum', inputs: ['seen', 'along'], outputs: ['running'] }),
        node({ op: 'MatMul', inputs: ['running', 'w'], outputs: ['h'] }),
        node({ op: 'Tanh', inputs: ['h'], outputs: [output] }),
      ],
    },
    { producer: 'entrain tests' },
  );
}
