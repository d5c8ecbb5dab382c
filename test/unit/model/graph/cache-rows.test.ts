/**
 * A cache that grows by rows holds what one grown by the runtime holds, bit for bit, and is not copied at each step.
 */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import ort from '../../../../src/onnx/runtime.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { splitCache } from '../../../../src/model/graph/cache-rows.ts';
import { createDecoder, type Decoder } from '../../../../src/model/runtime/decoder.ts';
import { openSession } from '../../../../src/model/runtime/session.ts';
import { isPast, RECENT } from '../../../../src/model/runtime/graph-io.ts';
import { readModelFolder } from '../../../../src/model/folder/model-folder.ts';
import { readModel } from '../../../../src/model/graph/onnx-graph.ts';
import { patchGraph } from '../../../../src/model/graph/patch-graph.ts';
import { randomWeights } from '../../../fixtures/onnx/llama2c.ts';
import { writeLlamaFolder } from '../../../fixtures/onnx/write-folder.ts';
import { FLOAT, INT64, model, node, valueInfo } from '../../../fixtures/onnx/write-onnx.ts';
import { openGraph, type OpenGraph, relativeError } from '../../../fixtures/onnx/open-graph.ts';

const SHAPE = { dims: 64, hidden: 128, layers: 2, heads: 4, keyValueHeads: 2, vocabulary: 96, context: 512 };
const IDS = Array.from({ length: 200 }, (_, i) => (i * 31 + 7) % 96);

/** The unchanged graph, its whole cache fetched at each step. */
async function openPlain(
  path: string,
  heads = 2,
): Promise<(ids: readonly number[]) => Promise<Float32Array>> {
  const { graph } = await readModelFolder(path);
  const options = { provider: 'cpu', threads: 1, weightsFolder: dirname(graph) } as const;
  const session = await openSession(await readFile(graph), options);
  const slots = session.inputNames.filter((name) => name.startsWith('past'));
  const empty = new ort.Tensor('float32', new Float32Array(), [1, heads, 0, 16]);
  let cache: Record<string, ort.Tensor> = Object.fromEntries(slots.map((name) => [name, empty]));
  let held = 0;
  const row = (values: readonly number[]): ort.Tensor =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  return async (ids) => {
    const mask = Array.from({ length: held + ids.length }, () => 1);
    const positions = ids.map((_, i) => held + i);
    const tokens = { input_ids: row(ids), attention_mask: row(mask), position_ids: row(positions) };
    const outputs = await session.run({ ...tokens, ...cache });
    const present = (name: string): ort.Tensor =>
      outputs[name.replace('past_key_values', 'present')] as ort.Tensor;
    cache = Object.fromEntries(slots.map((name) => [name, present(name)]));
    held += ids.length;
    return (outputs['logits'] as ort.Tensor).data.slice(-SHAPE.vocabulary) as Float32Array;
  };
}

describe('a cache that grows by rows', () => {
  let path: string;
  let graph: OpenGraph;
  beforeAll(async () => {
    path = await writeLlamaFolder(randomWeights(SHAPE, 3), { style: 'torch' });
    graph = await openGraph(path);
  });

  it('gives the logits of the unchanged graph bit for bit, over 200 steps', async () => {
    const plain = await openPlain(path);
    const decoder = graph.openDecoder();
    for (const id of IDS) expect((await decoder.run([id], [])).logits).toEqual(await plain([id]));
  });

  it.each(['cpu', 'webgpu'] as const)(
    'gives the same bits with 18 slots, prepared as for %s',
    async (provider) => {
      const deep = await writeLlamaFolder(randomWeights({ ...SHAPE, layers: 9 }, 4), { style: 'torch' });
      const plain = await openPlain(deep);
      const decoder = (await openGraph(deep, provider)).openDecoder();
      for (const id of IDS) expect((await decoder.run([id], [])).logits).toEqual(await plain([id]));
    },
  );

  it.each([190, 140, 129, 128, 127, 100, 64, 1, 0])(
    'rewinds to %i tokens as if no more had come',
    async (length) => {
      const [back, afresh] = [graph.openDecoder(), graph.openDecoder()];
      for (const id of IDS) await back.run([id], []);
      for (const id of IDS.slice(0, length)) await afresh.run([id], []);
      back.cache.truncate(length);
      expect(back.cache.length).toBe(length);
      for (const ids of [[5, 6, 7], [8], [9]]) {
        const [one, two] = [await back.run(ids, [2]), await afresh.run(ids, [2])];
        expect(one.logits).toEqual(two.logits);
        expect(one.states).toEqual(two.states);
      }
    },
  );

  it('reads one output at each step', async () => {
    const asked: string[][] = [];
    const decoder = watched(graph, asked);
    for (const id of IDS) await decoder.run([id], [0, 1, 2]);
    expect(asked.flat()).toEqual(Array(200).fill('entrain_pass'));
  });

  it('joins past and new rows nowhere if each head has keys of its own, and agrees to rounding', async () => {
    const split = await writeLlamaFolder(randomWeights({ ...SHAPE, keyValueHeads: 4 }, 6), {
      style: 'torch',
    });
    const [plain, opened] = [await openPlain(split, 4), await openGraph(split)];
    const { nodes } = readModel(opened.tapped.bytes).graph;
    const joins = nodes.filter(({ op, inputs }) => op === 'Concat' && inputs.some(isPast));
    expect(joins.map(({ outputs }) => outputs)).toEqual([]);
    const decoder = opened.openDecoder();
    for (const ids of [IDS.slice(0, 70), IDS.slice(70, 75), ...IDS.slice(75).map((id) => [id])])
      expect(relativeError((await decoder.run(ids, [])).logits, await plain(ids))).toBeLessThan(1e-6);
  });
});

function watched({ parts }: OpenGraph, asked: string[][]): Decoder {
  const session = Object.create(parts.session) as ort.InferenceSession;
  const run = (
    feeds: ort.InferenceSession.FeedsType,
    fetches: ort.InferenceSession.FetchesType,
  ): Promise<ort.InferenceSession.OnnxValueMapType> => {
    asked.push(Object.keys(fetches));
    return parts.session.run(feeds, fetches);
  };
  session.run = run as ort.InferenceSession['run'];
  return createDecoder({ ...parts, session });
}

function numbersOf(tensor: ort.OnnxValue | undefined): number[] {
  return Array.from((tensor as ort.Tensor).data as BigInt64Array | Float32Array, Number);
}

/** Two slots; the length of the past is looked at beside it, as exporters do. */
function toyCache(second: Uint8Array): Uint8Array {
  const cache = (name: string): Uint8Array => valueInfo(name, FLOAT, ['b', 2, 'tokens', 4]);
  const pasts = ['past_key_values.0.key', 'past_key_values.0.value'];
  const grow = { op: 'Concat', inputs: [pasts[0] ?? '', 'new'], outputs: ['present.0.key'] };
  return model(
    {
      nodes: [
        node({ op: 'Shape', inputs: [pasts[0] ?? ''], outputs: ['length'] }),
        node({ ...grow, attributes: { axis: 2 } }),
        second,
      ],
      weights: [],
      inputs: [...pasts, 'new'].map(cache),
      outputs: [cache('present.0.key'), cache('present.0.value'), valueInfo('length', INT64, [4])],
    },
    { producer: 'toy' },
  );
}

describe('a graph whose cache is split', () => {
  const grow = node({
    op: 'Concat',
    inputs: ['past_key_values.0.value', 'new'],
    outputs: ['present.0.value'],
    attributes: { axis: 2 },
  });

  it('joins both parts, gives the new rows, and keeps its whole length for inputs that depend on it', async () => {
    const bytes = toyCache(grow);
    const { graph } = readModel(bytes);
    const cache = splitCache(graph, 17);
    if (!cache) throw new Error('a cache that can be split was expected');
    const { before, after, edits, rows } = cache;
    const session = await ort.InferenceSession.create(
      patchGraph(bytes, graph.bytes, { before, after, edits, outputs: [rows] }),
    );
    const count = (tokens: number, from: number): Float32Array =>
      Float32Array.from({ length: tokens * 8 }, (_, i) => from + i);
    const slot = (tokens: number, from: number): ort.Tensor =>
      new ort.Tensor('float32', count(tokens, from), [1, 2, tokens, 4]);
    // [tokens 1, slots 2, heads 2, dims 4]
    const recent = new ort.Tensor('float32', [...count(1, 200), ...count(1, 300)], [1, 2, 2, 4]);
    const outputs = await session.run({
      'past_key_values.0.key': slot(2, 0),
      'past_key_values.0.value': slot(2, 100),
      new: slot(1, 400),
      [RECENT]: recent,
    });
    expect(numbersOf(outputs['length'])).toEqual([1, 2, 3, 4]);
    const head = (start: number): number[] => [start, start + 1, start + 2, start + 3];
    const joined = (past: number, late: number): number[] =>
      [0, 1].flatMap((h) => [
        ...head(past + 8 * h),
        ...head(past + 8 * h + 4),
        ...head(late + 4 * h),
        ...head(400 + 4 * h),
      ]);
    expect(numbersOf(outputs['present.0.key'])).toEqual(joined(0, 200));
    expect(numbersOf(outputs['present.0.value'])).toEqual(joined(100, 300));
    expect(outputs[rows]?.dims).toEqual([1, 2, 2, 4]);
    expect(numbersOf(outputs[rows])).toEqual([...count(1, 400), ...count(1, 400)]);
  });

  it.each([
    [
      'made otherwise',
      node({ op: 'Add', inputs: ['past_key_values.0.value', 'new'], outputs: ['present.0.value'] }),
    ],
    [
      'joined from three parts',
      node({
        op: 'Concat',
        inputs: ['past_key_values.0.value', 'new', 'new'],
        outputs: ['present.0.value'],
        attributes: { axis: 2 },
      }),
    ],
  ])('is left unchanged if one slot is %s', (_, second) => {
    expect(splitCache(readModel(toyCache(second)).graph, 17)).toBeUndefined();
  });
});
