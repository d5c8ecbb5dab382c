/**
 * A cache in the device's memory. The keys and values that a pass gives stay there and are fed to the next pass, so
 * none of them is copied to the CPU or back.
 *
 *   pass ─▶ present (device) ─▶ past of the next pass
 *                    └─ rewound: the first tokens, copied on the device before the next pass
 *
 * Tensors are never written to, so a fork uses those of its origin. A tensor is released when nobody uses it.
 */
import ort from '../../../onnx/runtime.ts';
import type { CacheSlot } from '../graph-io.ts';
import { asBits, type KvCache, makeData, makeTensor } from '../kv-cache.ts';

/** @returns new tensors with the first `length` tokens of each; those given stay as they are */
export type Shorten = (tensors: readonly ort.Tensor[], length: number) => Promise<ort.Tensor[]>;

/** Where a cache stays in the memory of the device. */
export interface DeviceMemory {
  shorten: Shorten;
  /** All outputs that stay there; those that are not of the cache are released after a pass. */
  outputs: readonly string[];
}

/** Tensors of all slots, and how many caches use them. */
interface Block {
  tensors: ort.Tensor[];
  tokens: number;
  users: number;
}

export function createDeviceCache(slots: readonly CacheSlot[], memory: DeviceMemory): KvCache {
  return holdBlock({ ...memory, slots }, undefined, 0);
}

interface DeviceParts extends DeviceMemory {
  slots: readonly CacheSlot[];
}

function holdBlock(parts: DeviceParts, begun: Block | undefined, tokens: number): KvCache {
  const { slots, shorten, outputs: names } = parts;
  const presents = new Set(slots.map(({ present }) => present));
  let block = begun;
  let length = tokens;
  const use = (next: Block | undefined): void => {
    const before = block;
    block = next;
    if (before) leave(before);
  };
  return {
    get length() {
      return length;
    },
    settle: async () => {
      if (!block || length === block.tokens) return;
      use({ tensors: await shorten(block.tensors, length), tokens: length, users: 1 });
    },
    feeds: () =>
      Object.fromEntries(slots.map((slot, i) => [slot.past, block?.tensors[i] ?? emptyTensor(slot)])),
    // All of them: where outputs have places, the binding cannot leave one out.
    fetches: () => Object.fromEntries(names.map((name) => [name, null])),
    advance: (outputs, added) => {
      length += added.tokens;
      for (const name of names) if (!presents.has(name)) (outputs[name] as ort.Tensor).dispose();
      const tensors = slots.map(({ present }) => readable(outputs[present] as ort.Tensor));
      use({ tensors, tokens: length, users: 1 });
    },
    truncate: (to) => {
      length = Math.min(length, to);
      if (length === 0) use(undefined);
    },
    fork: () => {
      if (block) block.users++;
      return holdBlock(parts, block, length);
    },
  };
}

function leave(block: Block): void {
  block.users--;
  if (block.users === 0) for (const tensor of block.tensors) tensor.dispose();
}

function emptyTensor(slot: CacheSlot): ort.Tensor {
  return makeTensor(slot, 0, makeData(slot, 0));
}

/** Without a device the runtime gives tensors of the CPU. */
function readable(tensor: ort.Tensor): ort.Tensor {
  return tensor.location === 'cpu' ? asBits(tensor) : tensor;
}
