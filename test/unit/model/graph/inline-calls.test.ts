/** Functions that a graph brings along are seen through, as far as their tensors can be read. */
import { describe, expect, it } from 'vitest';
import { inlineCalls } from '../../../../src/model/graph/inline-calls.ts';
import { readModel } from '../../../../src/model/graph/onnx-graph.ts';
import { writeTapped } from '../../../../src/model/graph/write-tapped.ts';
import { randomWeights } from '../../../fixtures/onnx/llama2c.ts';
import { temporaryFolder, writeLlamaFolder } from '../../../fixtures/onnx/write-folder.ts';
import { type FunctionSpec, model, node, type NodeSpec } from '../../../fixtures/onnx/write-onnx.ts';

const DOMAIN = 'test';

function graphOf(calls: NodeSpec[], functions: FunctionSpec[]): ReturnType<typeof readModel>['graph'] {
  const nodes = calls.map((call) => node({ domain: DOMAIN, ...call }));
  return readModel(model({ nodes, weights: [], inputs: [], outputs: [] }, { producer: 'test', functions }))
    .graph;
}

describe('calls of local functions', () => {
  it('are replaced by the nodes of the function, with the names of the call', () => {
    const nodes = [
      { op: 'MatMul', inputs: ['a', 'b'], outputs: ['d'] },
      { op: 'Add', inputs: ['a', 'd'], outputs: ['c'] },
    ];
    const block = { name: 'Block', domain: DOMAIN, inputs: ['a', 'b'], outputs: ['c'], nodes };
    const call = (input: string, output: string): NodeSpec => ({
      op: 'Block',
      inputs: [input, 'w'],
      outputs: [output],
    });
    const inlined = inlineCalls(graphOf([call('x', 'y'), call('y', 'z')], [block]).nodes);
    expect(inlined.map(({ op, inputs, outputs, inside }) => [op, inputs, outputs, inside])).toEqual([
      ['MatMul', ['x', 'w'], ['y/d'], 'Block'],
      ['Add', ['x', 'y/d'], ['y'], 'Block'],
      ['MatMul', ['y', 'w'], ['z/d'], 'Block'],
      ['Add', ['y', 'z/d'], ['z'], 'Block'],
    ]);
  });

  it('are refused if a state inside cannot become an output', async () => {
    const shape = {
      dims: 32,
      hidden: 64,
      layers: 4,
      heads: 2,
      keyValueHeads: 1,
      vocabulary: 32,
      context: 32,
    };
    const folder = await writeLlamaFolder(randomWeights(shape, 1), { style: 'dynamo', functions: 'pairs' });
    await expect(writeTapped(folder, `${await temporaryFolder()}/out.onnx`)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining("stays within the graph's function LlamaDecoderLayer_0") as string,
    });
  });

  it('without an end, or that fill the memory, are refused', () => {
    const twice = (name: string, inner: string): FunctionSpec => {
      const call = (output: string): NodeSpec => ({
        op: inner,
        domain: DOMAIN,
        inputs: ['a'],
        outputs: [output],
      });
      return { name, domain: DOMAIN, inputs: ['a'], outputs: ['b'], nodes: [call('c'), call('b')] };
    };
    const start = { op: 'F0', inputs: ['x'], outputs: ['y'] };
    const endless = graphOf([start], [twice('F0', 'F0')]);
    expect(() => inlineCalls(endless.nodes)).toThrow('without end');
    const chain = (depth: number): FunctionSpec[] =>
      Array.from({ length: depth }, (_, i) => twice(`F${i}`, i < depth - 1 ? `F${i + 1}` : 'Add'));
    expect(inlineCalls(graphOf([start], chain(5)).nodes)).toHaveLength(2 ** 5);
    expect(() => inlineCalls(graphOf([start, start, start, start], chain(16)).nodes)).toThrow('262144 nodes');
    expect(() => inlineCalls(graphOf([start], chain(17)).nodes)).toThrow('16 deep');
  });
});
