/** What `models inspect` tells of a folder is what its files say, in both of its forms. */
import ort from '../../../../src/onnx/runtime.ts';
import { describe, expect, it } from 'vitest';
import type { ValueInfo } from '../../../../src/model/runtime/graph-io.ts';
import { inspectModel } from '../../../../src/model/folder/inspect-model.ts';
import { showModel } from '../../../../src/model/folder/show-model.ts';
import { writeChatModel } from '../../../fixtures/onnx/chat-model.ts';
import { randomWeights } from '../../../fixtures/onnx/llama2c.ts';
import type { LlamaStyle } from '../../../fixtures/onnx/llama-graph.ts';
import { writeLlamaFolder } from '../../../fixtures/onnx/write-folder.ts';
import { hasShared, sharedFolder } from '../../../fixtures/shared.ts';

const SHAPE = { dims: 64, hidden: 128, layers: 3, heads: 2, keyValueHeads: 1, vocabulary: 96, context: 64 };

const write = (style: LlamaStyle): Promise<string> => writeLlamaFolder(randomWeights(SHAPE, 3), style);

describe('inspecting a model', () => {
  it('is described by its form, its exporter and its residual stream', async () => {
    const report = await inspectModel(await write({ style: 'genai', external: 'weights.bin' }));
    const form = { layers: 3, dims: 64, heads: 2, keyValueHeads: 1, headDims: 32, vocabulary: 96 };
    expect(report).toMatchObject({
      ...form,
      template: undefined,
      opsets: { 'ai.onnx': 17, 'com.microsoft': 1 },
    });
    expect(report.exporter).toContain('genai');
    expect(report.externalFiles[0]).toContain('weights.bin');
    expect(report.taps.length).toBe(4);
    expect(report.chain.length).toBe(7);
  });

  it.each([{ style: 'torch' }, { style: 'torch', half: true }, { style: 'merged' }] satisfies LlamaStyle[])(
    'tells inputs and outputs of %j as the runtime does',
    async (style) => {
      const report = await inspectModel(await write(style));
      const session = await ort.InferenceSession.create(report.graph, { logSeverityLevel: 3 });
      const values = (list: readonly unknown[]): ValueInfo[] =>
        (list as ValueInfo[]).map(({ name, type, shape }) => ({ name, type, shape: [...shape] }));
      expect(report.inputs).toEqual(values(session.inputMetadata));
      expect(report.outputs).toEqual(values(session.outputMetadata));
      expect(report.inputs[0]).toEqual({ name: 'input_ids', type: 'int64', shape: ['batch', 'sequence'] });
      await session.release();
    },
  );

  it.each([
    [{ style: 'torch' }, 'torch.onnx (pytorch'],
    [{ style: 'dynamo', functions: 'operators' }, 'torch.onnx, dynamo'],
    [{ style: 'genai' }, 'onnxruntime-genai builder'],
    [{ style: 'genai', packed: true }, 'onnxruntime-genai builder'],
    [{ style: 'merged' }, 'optimum, merged decoder'],
  ] satisfies [LlamaStyle, string][])('knows the exporter of %j', async (style, exporter) => {
    expect((await inspectModel(await write(style))).exporter).toContain(exporter);
  });

  it('counts a quantised matrix as what it stands for, and says how weights are stored', async () => {
    const [plain, packed] = [
      await inspectModel(await write({ style: 'torch' })),
      await inspectModel(await write({ style: 'torch', int4: true })),
    ];
    expect(packed.parameters).toBe(plain.parameters);
    expect(Object.keys(plain.dataTypes).sort()).toEqual(['float32', 'int64']);
    // Seven matrices a layer, and the head.
    expect(packed.dataTypes['uint8']).toBe(7 * SHAPE.layers + 1);
    const { float32 } = plain.dataTypes;
    const { dataTypes: half } = await inspectModel(await write({ style: 'torch', half: true }));
    const { dataTypes: brain } = await inspectModel(await write({ style: 'torch', brain: true }));
    expect([half['float16'], brain['bfloat16']]).toEqual([float32, float32]);
  });

  it('shows everything to people: a line for each value, layer and tensor of the stream', async () => {
    const folder = await writeChatModel({ tokens: 'bytes', template: 'instruct' });
    const report = await inspectModel(folder);
    const shown = showModel(report);
    for (const { name, type, shape } of [...report.inputs, ...report.outputs])
      expect(shown).toContain(`${name}  ${type} [${shape.join(', ')}]`);
    for (const [layer, tap] of report.taps.entries())
      expect(shown).toMatch(new RegExp(`^layer ${layer} +${tap.replaceAll('.', '\\.')}$`, 'm'));
    for (const tensor of report.chain) expect(shown).toContain(tensor);
    expect(shown).toContain('3 of 48 dims');
    expect(shown).toContain('3 over 1 key/value heads of 16');
    expect(shown).toMatch(/template +the model's own; .*first user message; demands alternation/);
    expect(shown).toMatch(/vocabulary +\d+/);
    expect(shown).toMatch(/data types +float32 \d+, int64 \d+/);
  });
});

describe.skipIf(!hasShared)('inspecting exports of others', () => {
  it.each(['llama', 'gpt2', 'phi'])('tells what %s is', async (name) => {
    const report = await inspectModel(sharedFolder(`golden/taps/${name}`));
    const session = await ort.InferenceSession.create(report.graph, { logSeverityLevel: 3 });
    expect(report.inputs.map((value) => value.name)).toEqual(session.inputNames);
    expect(report.outputs.map((value) => value.type)).toEqual(
      session.outputMetadata.map((value) => 'type' in value && value.type),
    );
    expect(report.taps.length).toBe(report.layers + 1);
    await session.release();
  });
});
