/** Keeps the first tokens of a cache, on the device that holds it: a graph with one Slice for each slot. */
import ort from '../../../onnx/runtime.ts';
import { concat, writeBytes, writeInteger } from '../../../onnx/protobuf.ts';
import { inputField, integersField, nodeField, outputFields } from '../../../onnx/write-node.ts';
import type { CacheSlot } from '../graph-io.ts';
import { passFault } from '../runtime-errors.ts';
import type { DeviceMemory } from './device-cache.ts';
import { openSession, type SessionOptions } from '../session.ts';

export interface OpenMemory extends DeviceMemory {
  release(): Promise<void>;
}

const FLOAT = 1;
const FLOAT16 = 10;
const INT64 = 7;
const LENGTH = 'length';
const IR_VERSION = 8;
const OPSET = 13;

const whole = (slot: number): string => `whole_${slot}`;
const kept = (slot: number): string => `kept_${slot}`;

/** @returns undefined where no output stays on the device */
export async function openDeviceMemory(
  slots: readonly CacheSlot[],
  outputs: readonly string[],
  { provider, threads }: Pick<SessionOptions, 'provider' | 'threads'>,
): Promise<OpenMemory | undefined> {
  if (outputs.length === 0) return undefined;
  const deviceOutputs = slots.map((_, slot) => kept(slot));
  const session = await openSession(sliceGraph(slots), {
    provider,
    threads,
    weightsFolder: '',
    deviceOutputs,
  });
  return {
    outputs,
    shorten: async (tensors, length) => {
      const feeds: Record<string, ort.Tensor> = {
        [LENGTH]: new ort.Tensor('int64', BigInt64Array.of(BigInt(length)), [1]),
      };
      for (const [slot, tensor] of tensors.entries()) feeds[whole(slot)] = tensor;
      const outputs = await session.run(feeds).catch((cause: unknown) => Promise.reject(passFault(cause)));
      return slots.map((_, slot) => outputs[kept(slot)] as ort.Tensor);
    },
    release: () => session.release(),
  };
}

function sliceGraph(slots: readonly CacheSlot[]): Uint8Array {
  const fields = slots.flatMap(({ emptyShape, tokenAxis, type }, slot) => {
    const shape = emptyShape.map((size, axis) => (axis === tokenAxis ? `tokens_${slot}` : size));
    const axis = `axis_${slot}`;
    return [
      inputField(whole(slot), type === 'float16' ? FLOAT16 : FLOAT, shape),
      integersField(axis, [tokenAxis]),
      nodeField({ op: 'Slice', inputs: [whole(slot), 'first', LENGTH, axis], outputs: [kept(slot)] }),
    ];
  });
  const graph = concat([
    writeBytes(2, 'entrain_shorten'),
    inputField(LENGTH, INT64, [1]),
    integersField('first', [0]),
    ...fields,
    outputFields(slots.map((_, slot) => kept(slot))),
  ]);
  const opset = writeBytes(8, writeInteger(2, OPSET));
  return concat([writeInteger(1, IR_VERSION), writeBytes(7, graph), opset]);
}
