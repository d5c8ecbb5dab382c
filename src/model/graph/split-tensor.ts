/** Graph field that splits a tensor along its first axis, one row for each name. */
import { nodeField } from '../../onnx/write-node.ts';

/** From this version on Split needs the number of parts if it gets no sizes. */
const COUNTED = 18;

export function splitTensor(tensor: string, names: readonly string[], opset: number): Uint8Array {
  // Without explicit sizes Split need not read them at each step.
  const counted = opset >= COUNTED ? { num_outputs: names.length } : {};
  return nodeField({ op: 'Split', inputs: [tensor], outputs: names, attributes: { axis: 0, ...counted } });
}
