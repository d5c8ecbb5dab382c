/** Bytes copied for a token where dialogues share passes: between arrays of JavaScript, and by the binding. */
import { probePasses } from '../../src/model/runtime/probe-passes.ts';
import { rowFloats } from '../../src/model/runtime/kv-cache.ts';
import { createSharedDecoders } from '../../src/model/runtime/shared-decoder.ts';
import { openGraph } from '../../test/fixtures/onnx/open-graph.ts';
import type { Subject } from './subjects.ts';

/** Tokens held when counting begins, and tokens counted: the block becomes wider twice meanwhile. */
const HELD = 200;
const TOKENS = 64;

/**
 * Keys and values alone; besides them the binding copies one row of logits and (layers + 1) × dims × 4 of states.
 * @returns bytes for each token, by number of dialogues
 */
export async function countCopiedBytes(
  subject: Subject,
  counts: readonly number[],
): Promise<{ dialogues: number; bytes: number }[]> {
  const { parts, contextTokens } = await openGraph(subject.folder);
  const limits = await probePasses(parts, { most: 16, contextTokens });
  const row = rowFloats(parts.io.slots) * Float32Array.BYTES_PER_ELEMENT;
  const found: { dialogues: number; bytes: number }[] = [];
  for (const dialogues of counts) {
    const open = createSharedDecoders(parts, limits);
    const decoders = Array.from({ length: dialogues }, () => open());
    for (const decoder of decoders)
      await decoder.run(
        Array.from({ length: HELD }, (_, i) => 5 + ((i * 31) % 100)),
        [],
      );
    const copied = await countSet(async () => {
      for (let step = 0; step < TOKENS; step++)
        await Promise.all(decoders.map((decoder) => decoder.run([5 + step], [])));
    });
    // The binding's copy of the new rows, and the dialogue's own.
    found.push({ dialogues, bytes: copied / (dialogues * TOKENS) + 2 * row });
    for (const decoder of decoders) decoder.close();
  }
  return found;
}

/** @returns bytes that `set` wrote into arrays of float32 meanwhile */
async function countSet(work: () => Promise<void>): Promise<number> {
  const { prototype } = Object.getPrototypeOf(Float32Array) as { prototype: Float32Array };
  const { set } = prototype;
  let bytes = 0;
  const counting: typeof set = function (this: Float32Array, values, offset) {
    if (this instanceof Float32Array) bytes += values.length * Float32Array.BYTES_PER_ELEMENT;
    set.call(this, values, offset);
  };
  Object.assign(prototype, { set: counting });
  try {
    await work();
  } finally {
    Object.assign(prototype, { set });
  }
  return bytes;
}
