/** A tensor comes apart into its rows in order. */
import ort from '../../../../src/onnx/runtime.ts';
import { describe, expect, it } from 'vitest';
import { readModel } from '../../../../src/model/graph/onnx-graph.ts';
import { patchGraph } from '../../../../src/model/graph/patch-graph.ts';
import { splitTensor } from '../../../../src/model/graph/split-tensor.ts';
import { FLOAT, model, node, valueInfo } from '../../../fixtures/onnx/write-onnx.ts';

const namesOf = (rows: number): string[] => Array.from({ length: rows }, (_, i) => `row_${i}`);

function graphOf(rows: number, opset: number): Uint8Array {
  const bytes = model(
    {
      nodes: [node({ op: 'Identity', inputs: ['x'], outputs: ['whole'] })],
      weights: [],
      inputs: [valueInfo('x', FLOAT, [rows, 2])],
      outputs: [valueInfo('whole', FLOAT, [rows, 2])],
    },
    { producer: 'toy', opset },
  );
  const after = splitTensor('whole', namesOf(rows), opset);
  return patchGraph(bytes, readModel(bytes).graph.bytes, { after, edits: [], outputs: namesOf(rows) });
}

describe('a tensor taken apart', () => {
  const opsets = [11, 17, 23];
  it.each([1, 2, 7, 24, 400].flatMap((rows) => opsets.map((opset) => [rows, opset])))(
    'gives %i rows in order, in opset %i',
    async (rows = 0, opset = 0) => {
      const bytes = graphOf(rows, opset);
      const session = await ort.InferenceSession.create(bytes);
      const data = Float32Array.from({ length: rows * 2 }, (_, i) => i);
      const outputs = await session.run({ x: new ort.Tensor('float32', data, [rows, 2]) });
      for (const [i, name] of namesOf(rows).entries())
        expect([...((outputs[name] as ort.Tensor).data as Float32Array)]).toEqual([2 * i, 2 * i + 1]);
      await session.release();
    },
  );
});
